// Training mode: a till that looks and counts like the real one, in a database of its own, without
// a single request. Whatever is done here happened nowhere.
import { dayOf } from "./clock.js";
import { LOST_CARD, cardOf, practicePack } from "./practice_world.js";
import { priced } from "./pricing.js";
import { Refusal, refusal } from "./refusals.js";
import { counts, takenBy } from "./sales.js";
import { openStore } from "./store.js";

export const PRACTICE = "canteen-practice";
const USER = { id: 1, name: "练习收银员", role: "manager" };
const PAYS_AFTER = 3000; // a practice phone pays by itself

export async function openPractice() {
  const station = new PracticeStation(await openStore(PRACTICE));
  await station.load();
  return station;
}

function untouched() {
  return { on: dayOf(Date.now()), number: 0, shifts: 0, shift: null, cash: 0, sales: [], out: [], online: true, unlocked: true };
}

class PracticeStation extends EventTarget {
  #kept = untouched();

  constructor(store) {
    super();
    this.store = store;
    this.pack = practicePack(this.#kept.on);
  }

  async load() {
    const kept = await this.store.get("meta", "practice");
    this.#kept = kept && kept.on === dayOf(Date.now()) ? kept : untouched();
    this.pack = practicePack(this.#kept.on);
    this.#settle();
  }

  get state() {
    const { shift, online, unlocked, sales } = this.#kept;
    return {
      enrolled: true, practice: true, alarm: null, withdrawn: false, unlocked, online, shift,
      till: { id: 0, name: "练习机", canteen_id: 0, canteen_name: "练习食堂", canteen_name_en: "Practice canteen" },
      user: unlocked ? USER : null, packAt: this.pack.made_at,
      waiting: sales.filter((sale) => sale.state === "kept").length,
    };
  }

  // Everything as it was in the beginning.
  async reset() {
    this.#kept = untouched();
    this.pack = practicePack(this.#kept.on);
    await this.#changed();
  }

  // Practise without a network: sales are kept, and go up when it comes back.
  async setOnline(online) {
    this.#kept.online = online;
    if (online) for (const sale of this.#kept.sales) if (sale.state === "kept") sale.state = "done";
    await this.#changed();
  }

  async enrol() {}

  async cashiers() {
    return [{ ...USER, has_pin: true }];
  }

  async unlock() {
    this.#kept.unlocked = true;
    await this.#changed();
  }

  async lock() {
    this.#kept.unlocked = false;
    await this.#changed();
  }

  async find(text) {
    const asked = text.trim().toLowerCase();
    if (asked === LOST_CARD) throw refusal("card_lost");
    const card = /^8\d{10}$/.test(asked);
    const fits = ({ id, name, initials, last4 }) => (card ? cardOf(id) === asked
      : name.startsWith(asked) || initials.some((one) => one.startsWith(asked)) || last4 === asked);
    const found = asked ? this.pack.elders.filter(fits).map((one) => this.#counted(one)) : [];
    return { found, sure: card && found.length === 1, local: false, card: null };
  }

  usual(meal) {
    const ids = this.pack.usual[meal] ?? [];
    return ids.map((id) => this.#counted(this.pack.elders.find((one) => one.id === id)));
  }

  // By the real rules, the district's allowance while the network is cut among them.
  price(basket) {
    const { on, online, sales } = this.#kept;
    const unsent = sales.filter((sale) => sale.state === "kept");
    return priced(basket, { pack: this.pack, on, online, sales, unsent });
  }

  async sell(basket, { payment, cash_fen, received_fen = null, overrode = [] }) {
    const kept = this.#kept;
    this.#open();
    const lines = this.#lines(basket.lines);
    if (!lines.length) throw refusal("nothing_chosen");
    const short = lines.find((one) => this.left(one.item_id) < one.quantity);
    if (short && kept.online) {
      throw new Refusal("sold_out", { zh: `${short.name}只剩 ${this.left(short.item_id)} 份`, en: `Only ${this.left(short.item_id)} left of ${short.name_en}` });
    }
    if (payment === "online" && !kept.online) throw refusal("online_needs_network");
    const { quote } = this.price(basket);
    const cash = payment === "cash" ? quote.payable_fen : cash_fen;
    if (!(cash >= 0 && cash <= quote.payable_fen)) throw refusal("bad_sum");
    const number = ++kept.number;
    const online = quote.payable_fen - cash;
    const sale = {
      number, id: crypto.randomUUID(), at: new Date().toISOString(), on: kept.on, meal: basket.meal,
      service: basket.service, elder: basket.elder ? { id: basket.elder.id, name: basket.elder.name } : null,
      elder_id: basket.elder?.id ?? null, uses_quota: quote.uses_quota, voided_in: null,
      lines, quote, cash_fen: cash, received_fen, overrode, shift: kept.shift.number,
      parts: {
        list_fen: quote.list_fen, discount_fen: quote.discount_fen, subsidy_fen: quote.subsidy_fen,
        account_fen: quote.account_fen, payable_fen: quote.payable_fen, cash_fen: cash, excess_fen: 0,
      },
      state: online ? "awaiting" : kept.online ? "done" : "kept", order_id: number,
      charge_id: online ? number : null, notes: [], bearer: null, receipt: null,
    };
    kept.cash += cash;
    kept.sales.unshift(sale);
    if (online) this.#settle();
    await this.#changed();
    return sale;
  }

  sales() {
    return this.#kept.sales;
  }

  async voidSale(number) {
    this.#open();
    const sale = this.#kept.sales.find((one) => one.number === number);
    if (!sale) throw refusal("no_such_sale");
    if (sale.state === "voided") throw refusal("already_voided");
    Object.assign(sale, { state: "voided", voided_in: ++this.#kept.number });
    this.#kept.cash -= sale.cash_fen;
    await this.#changed();
    return sale;
  }

  async openShift(float_fen) {
    const kept = this.#kept;
    if (kept.shift) throw refusal("shift_open");
    if (!(Number.isInteger(float_fen) && float_fen >= 0)) throw refusal("bad_sum");
    kept.number++;
    kept.cash = float_fen;
    kept.shift = { number: ++kept.shifts, cashier_id: USER.id, cashier_name: USER.name, float_fen, opened_at: new Date().toISOString() };
    await this.#changed();
  }

  async move(fen) {
    this.#open();
    if (!Number.isInteger(fen) || !fen) throw refusal("bad_sum");
    this.#kept.number++;
    this.#kept.cash += fen;
    await this.#changed();
  }

  // As blind as the real one: who counted wrong is told to count again, not by how much.
  async closeShift(count, reason, left_fen) {
    this.#open();
    const kept = this.#kept;
    const counted_fen = Object.entries(count).reduce((sum, [fen, pieces]) => sum + Number(fen) * pieces, 0);
    if (!(left_fen >= 0 && left_fen <= counted_fen)) throw refusal("bad_sum");
    const report = { counted_fen, expected_fen: kept.cash, over_fen: counted_fen - kept.cash, left_fen, number: kept.shift.number };
    if (report.over_fen && !reason) {
      throw new Refusal("reason_needed", { zh: "清点的现金与账面不符，请再数一遍；仍不符请写明原因", en: "The count differs from the books. Please count again; if it still does, write why" }, { field: "reason" });
    }
    kept.number++;
    kept.shift = null;
    await this.#changed();
    return report;
  }

  async soldOut(itemId) {
    if (!this.#kept.out.includes(itemId)) this.#kept.out.push(itemId);
    await this.#changed();
  }

  async backOn(itemId) {
    this.#kept.out = this.#kept.out.filter((one) => one !== itemId);
    await this.#changed();
  }

  left(itemId) {
    const item = this.#items().find((one) => one.item_id === itemId);
    if (!item || this.#kept.out.includes(itemId)) return 0;
    return Math.max(item.portions - (takenBy(this.#kept.sales).get(itemId) ?? 0), 0);
  }

  async paymentState(orderId) {
    this.#settle();
    const sale = this.#kept.sales.find((one) => one.order_id === orderId);
    const paid = sale?.state === "done";
    return { order_id: orderId, state: paid ? "served" : "awaiting_payment", paid };
  }

  async pretendPaid(orderId) {
    const sale = this.#kept.sales.find((one) => one.order_id === orderId);
    if (sale?.state === "awaiting") sale.state = "done";
    await this.#changed();
  }

  // A payment that waits is made by itself, also after the page was closed over it.
  #settle() {
    let wait = null;
    let paid = false;
    for (const sale of this.#kept.sales) {
      if (sale.state !== "awaiting") continue;
      const since = Date.now() - Date.parse(sale.at);
      if (since >= PAYS_AFTER) {
        sale.state = "done";
        paid = true;
      } else wait = Math.min(wait ?? PAYS_AFTER, PAYS_AFTER - since);
    }
    if (wait !== null) setTimeout(() => this.#settle(), wait);
    if (paid) this.#changed();
  }

  // As the server would tell it now: what was sold up to this number is in the counts.
  #counted(elder) {
    const { sales, number, on } = this.#kept;
    const used = { ...elder.used, meals: { ...elder.used.meals } };
    for (const sale of sales) {
      if (sale.elder_id !== elder.id || !counts(sale)) continue;
      used.day++;
      used.week++;
      used.month++;
      used.meals[sale.meal] = (used.meals[sale.meal] ?? 0) + 1;
    }
    return { ...elder, used, head: number, counted_on: on };
  }

  #lines(lines) {
    return [...(lines ?? [])].map(([item_id, quantity]) => {
      const item = this.#items().find((one) => one.item_id === item_id);
      if (!item) throw refusal("not_on_menu");
      return { item_id, quantity, name: item.name, name_en: item.name_en, unit_fen: item.price_fen };
    });
  }

  #items() {
    return this.pack.menus.flatMap((menu) => menu.items);
  }

  #open() {
    if (!this.#kept.unlocked) throw refusal("locked");
    if (!this.#kept.shift) throw refusal("no_shift");
  }

  async #changed() {
    await this.store.put("meta", this.#kept, "practice");
    this.dispatchEvent(new Event("change"));
  }
}
