// The sale under way: the menu it is taken from, the diner, the price, and the act of selling.
import { announce, say } from "../words.js";
import * as baskets from "./basket.js";
import { named } from "./parts.js";
import { clock, today } from "./shanghai.js";
import { beep } from "./sound.js";

export const ODD = {
  zh: "这一步没有做成，请再试；还不行，请告诉经理",
  en: "That did not work; try again, and tell the manager if it does not",
};

// How somebody was identified, from what was typed or scanned.
function how(text) {
  if (/^\d{17}[\dXx]$/.test(text)) return "ric";
  if (/^1[3-9]\d{9}$/.test(text)) return "phone";
  if (/^\d{10,11}$/.test(text)) return "card";
  return /^\d+[Xx]?$/.test(text) ? "tail" : "name";
}

// `station` and `render()`, `set()`, `say()` come with the app around it.
export class Selling {
  basket = baskets.empty("lunch", "eat_in");
  standing = null; // the elder's quote for one dish of this meal: entitled or not, and why
  priced = null; // {for: basket, quote, ask} or {for: basket, fault}
  found = null; // people a search may mean
  looked = "";
  unknown = null; // a good card number that nobody here has
  typed = ""; // in the search field
  finding = false;
  busy = false;
  problem = null; // what was just refused, {zh, en}
  done = null; // number of the sale whose end is shown
  sales = [];
  #turn = 0;
  #pricing = Promise.resolve();

  // ── the menu ──
  get on() {
    const menus = this.station.pack?.menus ?? [];
    const now = today();
    return menus.some((menu) => menu.on === now) ? now : (this.station.pack?.on ?? now);
  }

  menus() {
    const order = ["breakfast", "lunch", "dinner"];
    return (this.station.pack?.menus ?? [])
      .filter((menu) => menu.on === this.on && menu.items.length)
      .sort((a, b) => order.indexOf(a.meal) - order.indexOf(b.meal));
  }

  menu(meal) {
    return this.menus().find((menu) => menu.meal === meal);
  }

  items() {
    return this.menu(this.basket.meal)?.items ?? [];
  }

  item(id) {
    return this.items().find((one) => one.item_id === id);
  }

  left = (item) => this.station.left(item.item_id) ?? item.left;

  // The meal being served, else the next one today, else the last: never empty while there is one.
  mealNow() {
    const menus = this.menus();
    const now = clock();
    const hours = (this.station.pack?.hours ?? []).filter((one) => menus.some((menu) => menu.meal === one.meal));
    const next = [...hours].sort((a, b) => (a.closes < b.closes ? -1 : 1)).find((one) => now < one.closes);
    return (next ?? menus.at(-1))?.meal ?? "lunch";
  }

  // The hours of the meal chosen when this moment lies outside them: the checks will ask about it.
  outOfHours() {
    const now = clock();
    const hours = (this.station.pack?.hours ?? []).find((one) => one.meal === this.basket.meal);
    return hours && (now < hours.opens || now > hours.closes) ? hours : null;
  }

  services() {
    const can = this.station.pack?.canteen.capabilities;
    return [["dine_in", "eat_in"], ["pick_up", "pick_up"]].filter(([needs]) => !can || can.includes(needs)).map(([, code]) => code);
  }

  clean() {
    const kept = this.menu(this.basket.meal) ? this.basket.meal : this.mealNow();
    const services = this.services();
    return baskets.empty(kept, services.includes("eat_in") ? "eat_in" : (services[0] ?? "eat_in"));
  }

  // ── the sale under way ──
  change(basket) {
    // The first act for the next diner puts the last one's end into the strip.
    if (this.done !== null) this.done = null;
    this.basket = basket;
    this.problem = null;
    this.reprice();
    this.render();
  }

  // What an elder is entitled to shows before a dish is taken: the price of any one dish tells.
  #stand() {
    const { elder } = this.basket;
    const [item] = this.items();
    if (!elder || !item || !this.station.state.unlocked) return null;
    try {
      return this.station.price({ ...this.basket, toAccount: false, lines: new Map([[item.item_id, 1]]) }).quote;
    } catch {
      return null; // the order itself says what is wrong
    }
  }

  reprice() {
    const { basket, station } = this;
    this.standing = this.#stand();
    if (!basket.lines.size || !station.state.unlocked) {
      this.priced = null;
      this.#pricing = Promise.resolve();
      return;
    }
    this.#pricing = (async () => {
      let priced;
      try {
        priced = { for: basket, ...(await station.price(basket)) };
      } catch (fault) {
        priced = { for: basket, fault: fault.text ?? { zh: "现在算不出价钱", en: "No price can be worked out now" } };
      }
      if (basket !== this.basket) return;
      const before = this.priced?.quote?.payable_fen;
      this.priced = priced;
      this.render();
      if (priced.quote && priced.quote.payable_fen !== before) announce(say("食客付", "To pay") + ` ${(priced.quote.payable_fen / 100).toFixed(2)}`);
    })();
  }

  tap(itemId, many = 1) {
    const item = this.item(itemId);
    if (!item) return;
    const now = this.basket.lines.get(itemId) ?? 0;
    if (many > 0 && this.left(item) <= now) {
      this.say(say(`“${named(item)}”只剩 ${Math.max(this.left(item), 0)} 份`, `Only ${Math.max(this.left(item), 0)} of “${named(item)}” left`), null);
      return;
    }
    this.change(baskets.add(this.basket, itemId, many));
    const basket = document.getElementById("basket");
    if (many > 0 && basket) basket.scrollTop = document.getElementById(`more-${itemId}`)?.closest("li").offsetTop - basket.offsetTop - basket.clientHeight / 2;
    // Where the order lies below the dishes, what stops it must not stay out of sight.
    document.getElementById("conflict")?.scrollIntoView({ block: "nearest" });
  }

  other() {
    this.found = null;
    this.change(baskets.but(this.basket, { elder: null, card: "", other: true, how: "other", toAccount: false, lines: this.basket.prefilled ? new Map() : this.basket.lines }));
  }

  card(number) {
    this.found = null;
    this.typed = "";
    this.change(baskets.but(this.basket, { elder: null, other: false, card: number, how: "card" }));
  }

  nobody() {
    const lines = this.basket.prefilled ? new Map() : this.basket.lines;
    this.change(baskets.but(this.basket, { elder: null, other: false, card: "", how: "", toAccount: false, lines, prefilled: false, allowed: new Set() }));
  }

  identify(elder, how) {
    const before = this.basket;
    this.toast = null; // what it offered to undo was about somebody else
    this.typed = "";
    this.found = null;
    this.change(baskets.identify(before, elder, how, this.items(), this.left));
    announce(say(`${elder.name}，${elder.age} 岁`, `${elder.name}, aged ${elder.age}`));
    this.#renew(elder);
    if (before.elder && before.elder.id !== elder.id && before.lines.size && !before.prefilled) {
      this.say(say(`换成 ${elder.name}，菜没有变`, `Now ${elder.name}; the dishes stay`), () => this.change(before));
    }
  }

  // Whoever was tapped in a list is asked about anew behind, where there is somebody to ask.
  async #renew(elder) {
    const { state } = this.station;
    if (elder.fresh || !state.online || state.practice) return;
    try {
      const { found } = await this.station.find(elder.name, this.basket.meal);
      const fresh = found.find((one) => one.id === elder.id && one.fresh);
      if (!fresh || this.basket.elder?.id !== elder.id || this.busy) return;
      this.basket = { ...this.basket, elder: fresh };
      this.reprice();
      this.render();
    } catch {
      // The pack's facts stand; the server has the last word at the sale.
    }
  }

  clear() {
    const before = this.basket;
    this.found = null;
    this.typed = "";
    this.change(this.clean());
    if (before.lines.size) this.say(say("已清空", "Cleared"), () => this.change(before));
  }

  async find(text, scanned = false) {
    const wanted = text.trim();
    if (!wanted) return;
    const turn = ++this.#turn;
    this.set({ finding: true, looked: wanted, unknown: null, found: null, problem: null, done: null });
    try {
      const { found, sure, card } = await this.station.find(wanted, this.basket.meal);
      if (turn !== this.#turn) return;
      this.finding = false;
      this.unknown = card ?? null;
      beep(found.length > 0);
      if (sure && found.length === 1) this.identify(found[0], how(wanted));
      else if (scanned && found.length === 1) this.identify(found[0], how(wanted));
      else this.set({ found, typed: found.length ? "" : wanted });
    } catch (fault) {
      if (turn !== this.#turn) return;
      beep(false);
      this.set({ finding: false, found: [], looked: wanted, typed: wanted, problem: fault.text ?? ODD });
    }
  }

  get conflicts() {
    return baskets.conflicts(this.basket, this.items());
  }

  // Why the order cannot be sold yet: "dishes", "who", "price", "conflict", "pay", or "" when it can.
  get hindrance() {
    const { basket, priced } = this;
    if (!basket.lines.size) return "dishes";
    if (!baskets.chosen(basket)) return "who";
    if (this.conflicts.length) return "conflict";
    if (priced?.for !== basket || !priced.quote) return "price";
    return baskets.paying(basket, priced.quote.payable_fen).fault ? "pay" : "";
  }

  async sell() {
    await this.#pricing;
    if (this.busy || this.hindrance) return;
    const { basket, station } = this;
    const quote = this.priced.quote;
    const { payment, cash_fen, received_fen } = baskets.paying(basket, quote.payable_fen);
    this.set({ busy: true, problem: null });
    try {
      const sale = await station.sell(basket, {
        payment, cash_fen, received_fen, how: basket.how || "other", overrode: baskets.overrode(basket, this.items()),
      });
      this.sales = [sale, ...this.sales.filter((one) => one.number !== sale.number)];
      this.basket = this.clean();
      this.priced = null;
      this.found = null;
      this.done = sale.number;
      announce(this.endWords(sale));
    } catch (fault) {
      beep(false);
      this.problem = fault.text ?? ODD;
      this.reprice();
    }
    this.busy = false;
    this.render();
    document.querySelector(".end, .sale-order .notice-no")?.scrollIntoView({ block: "nearest" });
  }

  endWords(sale) {
    const back = (sale.received_fen ?? sale.cash_fen) - sale.cash_fen;
    if (sale.state === "awaiting") return say("等食客扫码付款", "Waiting for the diner's payment");
    return back > 0 ? say(`已收款，找零 ${(back / 100).toFixed(2)}`, `Paid; change ${(back / 100).toFixed(2)}`) : say("已收款，出餐", "Paid; serve");
  }

  sale(number) {
    return this.sales.find((one) => one.number === number) ?? null;
  }
}
