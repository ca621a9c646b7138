// Selling, taking back, and the cash: every act at the counter becomes an entry of the journal.
import { receiptCode } from "./keys.js";
import { menuOf } from "./pricing.js";
import { refusal } from "./refusals.js";
import { faceOf, saleRow } from "./sales.js";
import { closing, moving, opening, shiftOf } from "./shift.js";
import { reading } from "./store.js";

const PROVIDER = 10_000; // a payment by code asks the provider as well

export class Counter {
  rows = []; // this till's sales of the last days, oldest first
  unsent = []; // those the server has not acknowledged
  shift = { last: 0, open: null };
  acked = 0;
  #faces = new Map();

  constructor(station) {
    Object.assign(this, { station, store: station.store, journal: station.journal });
  }

  async load() {
    const [rows, outbox, acked] = await Promise.all([
      this.store.all("sales"), this.store.all("outbox"), this.store.get("meta", "acked"),
    ]);
    const waiting = new Set(outbox.map((entry) => entry.number));
    await this.#seeFaces(rows);
    this.shift = await shiftOf(this.store, this.station.pack);
    Object.assign(this, {
      rows, acked: acked ?? 0, unsent: rows.filter((row) => waiting.has(row.number)),
    });
  }

  // The names of today's diners, each read once while the till is open.
  async #seeFaces(rows) {
    const { packs, clock } = this.station;
    if (!packs.isOpen) return this.#faces.clear();
    const on = clock.today();
    const unseen = rows.filter((row) => row.on === on && !this.#faces.has(row.number));
    const faces = await Promise.all(
      unseen.map(async ({ number }) => packs.unseal(await this.store.get("pack", faceOf(number)))),
    );
    return unseen.forEach(({ number }, index) => this.#faces.set(number, faces[index]));
  }

  // Today's, newest first, as the screens show them.
  today() {
    const on = this.station.clock.today();
    return this.rows.filter((row) => row.on === on).reverse().map((row) => this.#shown(row));
  }

  async sell(basket, { payment, ...more }) {
    this.#who();
    const byCode = payment === "online";
    if (byCode && !this.station.asks) throw refusal("online_needs_network");
    const { number, outcome } = await this.#act(
      "sale", (ask) => this.#sale(basket, { payment, ...more }, ask),
      byCode ? { limit: PROVIDER } : {},
    );
    if (byCode && !outcome) {
      await this.giveUp(number);
      throw refusal("online_not_answered");
    }
    return this.#done(number);
  }

  // Whole: the money, the portions and the meal of the week go back.
  async voidSale(number, reason_code, reason = "") {
    await this.#act("void", () => {
      const who = this.#who();
      const row = this.rows.find((one) => one.number === number);
      if (!row) throw refusal("no_such_sale");
      if (row.voided_in !== null || row.state === "voided") throw refusal("already_voided");
      return this.#taking(row, { ...who, of: number, reason_code, reason });
    });
    return this.#done(number);
  }

  // A payment by code that nobody answered: whatever became of it is taken back again.
  async giveUp(number) {
    const prepare = () => {
      const row = this.rows.find((one) => one.number === number);
      if (row.voided_in !== null) throw refusal("already_voided");
      const { shift, cashier } = row;
      return this.#taking(row, { shift, cashier, of: number, reason_code: "unpaid", reason: "" });
    };
    try {
      await this.#act("void", prepare, { live: false });
    } catch (fault) {
      if (fault.code !== "already_voided") throw fault; // by another tab: it comes to the same
    }
  }

  // Payments by code that stand although nobody answered: the tablet went dark before giving up.
  get cutShort() {
    return this.unsent.filter(
      (row) => row.payment === "online" && row.state === "kept" && row.voided_in === null,
    );
  }

  async openShift(floatFen) {
    await this.#act("open", () => {
      const { user, clock } = this.#open();
      const at = new Date(clock.now()).toISOString();
      return this.#shiftBecomes(opening(this.shift, user, floatFen, at));
    });
  }

  async move(fen, reasonCode, reason) {
    await this.#act("move", () => {
      this.#who();
      return { fields: moving(this.shift, this.#open().user, fen, reasonCode, reason) };
    });
  }

  // Counted blind; what should have been there is told afterwards, once the server has it. `kept`
  // says that the server has not heard of it yet.
  async closeShift(count, reason, leftFen) {
    let told;
    const { outcome } = await this.#act("close", () => {
      this.#who();
      told = closing(this.shift, this.#open().user, count, reason, leftFen);
      return this.#shiftBecomes(told);
    });
    const { shift: number, counted_fen, left_fen } = told.fields;
    const { shift_id = null, expected_fen = null, over_fen = null } = outcome?.drawer ?? {};
    const kept = !outcome;
    return { number, counted_fen, left_fen, shift_id, expected_fen, over_fen, kept, waiting: this.journal.waiting };
  }

  // What is known is read again in the entry's turn: another tab may have acted meanwhile.
  async #act(kind, prepare, options) {
    try {
      const fresh = async (ask) => {
        await this.load();
        return prepare(ask);
      };
      return await this.journal.act(kind, fresh, options);
    } catch (fault) {
      if (fault.code) this.station.watch.refresh(); // somebody knows better than we do
      throw fault;
    } finally {
      await this.load();
    }
  }

  async #sale(basket, { payment, cash_fen = null, received_fen = null, overrode = [], how }, ask) {
    const who = this.#who();
    const { clock, pack, packs } = this.station;
    const on = clock.today();
    const lines = this.#lines(basket.lines, menuOf(pack, on, basket.meal));
    const { quote, ask: basis } = this.station.price(basket, ask);
    const due = quote.payable_fen;
    const cash = payment === "cash" ? due : (cash_fen ?? 0);
    if (payment === "cash" && cash_fen !== null && cash_fen !== due) throw refusal("price_changed");
    const byCode = payment === "online";
    if (!Number.isInteger(cash) || cash < 0 || cash > due) throw refusal("bad_sum");
    if (byCode && cash === due) throw refusal("bad_sum");
    if (byCode && !ask) throw refusal("online_needs_network");
    const { elder = null, meal, service } = basket;
    const fields = {
      ...who, id: crypto.randomUUID(), on, meal, service, payment, cash_fen: cash, received_fen,
      elder: elder?.id ?? null, card: elder ? null : basket.card || null, how: how || "other",
      lines: lines.map((line) => [line.item_id, line.quantity, line.unit_fen]),
      list_fen: quote.list_fen, discount_fen: quote.discount_fen, subsidy_fen: quote.subsidy_fen,
      payable_fen: due, to_account: Boolean(basket.toAccount) || basis === "beyond",
      priced: basis === "fresh" ? "server" : "till", overrode: [...overrode],
    };
    const at = new Date(clock.now()).toISOString();
    const face = await packs.seal({ name: elder?.name ?? null, quote });
    const row = saleRow(fields, { lines, quote, at });
    const also = (stores, number) => {
      stores.sales.put({ ...row, number, receipt: this.#slip(number) });
      stores.pack.put(face, faceOf(number));
      this.#faces.delete(number);
    };
    return { fields, also };
  }

  #taking(row, fields) {
    const also = async ({ sales }, made) => {
      const now = await reading(sales.get(row.number));
      sales.put({ ...now, state: "voided", voided_in: made });
    };
    return { fields, also, undo: { unvoid: { number: row.number, state: row.state } } };
  }

  #shiftBecomes({ fields, after }) {
    const also = ({ meta }) => void meta.put(after, "shift");
    return { fields, also, undo: { meta: { shift: this.shift } } };
  }

  #open() {
    const { door, clock, packs } = this.station;
    if (!door.user || !packs.isOpen) throw refusal("locked");
    return { user: door.user, clock };
  }

  #who() {
    const { user } = this.#open();
    if (!this.shift.open) throw refusal("no_shift");
    return { shift: this.shift.open.number, cashier: user.id };
  }

  #lines(wanted, menu) {
    const chosen = [...wanted].filter(([, quantity]) => quantity > 0);
    if (!chosen.length) throw refusal("nothing_chosen");
    return chosen.map(([itemId, quantity]) => {
      const item = menu?.items.find((one) => one.item_id === itemId);
      if (!item) throw refusal("not_on_menu");
      const { name, name_en, price_fen } = item;
      return { item_id: itemId, name, name_en, quantity, unit_fen: price_fen };
    });
  }

  // The receipt's check was drawn ahead by the server.
  #slip(number) {
    const { first, size, codes, bits } = this.station.pack?.slips ?? { codes: [] };
    const code = codes[number - first];
    return code ? { ...this.#address(number, code), size, bits: bits[number - first] } : null;
  }

  #address(number, code) {
    return { path: `/r/${this.journal.till.id}/${number}/${code}`, code };
  }

  async #done(number) {
    const row = this.rows.find((one) => one.number === number);
    if (!row.receipt) {
      // More sold without network than was drawn ahead: the address can still be typed.
      const code = await receiptCode(this.journal.key, number);
      row.receipt = { ...this.#address(number, code), size: 0, bits: null };
    }
    return this.#shown(row);
  }

  #shown(row) {
    const { elder_id, ...rest } = row;
    const seen = this.#faces.get(row.number);
    const known = this.station.pack?.elders.find((one) => one.id === elder_id);
    const elder = elder_id ? { id: elder_id, name: seen?.name ?? known?.name ?? "" } : null;
    return { ...rest, elder, quote: seen?.quote ?? null };
  }
}
