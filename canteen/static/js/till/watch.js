// What goes on by itself while the till stands there: portions, the pack, payments, midnight.
import { untilMidnight } from "./clock.js";
import { Offline, Refusal, refusal } from "./refusals.js";
import { portionsOf, takenBy } from "./sales.js";
import { reading } from "./store.js";

const BEAT = 2_000;
const LIVE = 10_000;
const PACK = 300_000;
const AGAIN = 30_000;
const ASK_PROVIDER = 10; // every so many looks at a payment

export class Watch {
  live = null;
  recovered = []; // what became of an entry that was under way when the tablet went dark
  #due = { live: 0, pack: 0, midnight: Infinity };
  #looks = 0;
  #marks = {};

  constructor(station) {
    Object.assign(this, { station, store: station.store, network: station.network });
  }

  async start() {
    this.#marks = (await this.store.get("meta", "marks")) ?? {};
    await this.station.journal.recover();
    await this.#cutShort();
    await this.#orphans();
    this.#midnight();
    this.station.journal.sync.soon();
    await this.station.journal.sync.tidy();
    const beat = async () => {
      await this.#beat().catch((fault) => {
        if (!(fault instanceof Offline || fault instanceof Refusal)) console.error(fault);
      });
      this.timer = setTimeout(beat, BEAT);
    };
    await beat();
  }

  networkChanged() {
    if (this.network.online) {
      this.station.journal.sync.failures = 0;
      this.station.journal.sync.soon();
      this.#due.live = 0;
    }
    this.station.changed();
  }

  async helloCame() {
    await this.station.door.recognised(this.network.hello);
    const { off } = this.station.clock;
    if (off !== null) await this.store.put("meta", off, "clock");
  }

  // Just unlocked: the pack is new, or as it was kept.
  opened() {
    Object.assign(this.#due, { live: 0, pack: performance.now() + PACK });
    return this.station.counter.load();
  }

  // Soon, because the server was seen to know better.
  refresh() {
    Object.assign(this.#due, { live: 0, pack: 0 });
  }

  // The tablet may go dark after a payment was found unanswered and before it was taken back.
  async #cutShort() {
    const { counter, journal } = this.station;
    await counter.load();
    const told = new Set(journal.orphans.map(({ number }) => number));
    for (const { number } of counter.cutShort) {
      if (!told.has(number)) journal.orphans.push({ number, kind: "sale", now: "kept", refusal: null });
    }
  }

  // A payment by code that was under way and is not answered now sold nothing.
  async #orphans() {
    const { counter, journal } = this.station;
    const found = journal.orphans.splice(0);
    if (!found.length) return;
    await counter.load();
    for (const one of found) {
      const row = counter.rows.find(({ number }) => number === one.number);
      if (one.kind !== "sale" || one.now !== "kept" || row?.payment !== "online") continue;
      await counter.giveUp(one.number);
      Object.assign(one, { now: "withdrawn", refusal: refusal("online_not_answered") });
    }
    this.recovered = found;
    await this.station.changed();
  }

  #midnight() {
    this.#due.midnight = performance.now() + untilMidnight(this.station.clock.now()) + 1_000;
  }

  async #beat() {
    const { door, journal } = this.station;
    const now = performance.now();
    await this.#orphans();
    if (now >= this.#due.midnight) {
      this.#midnight();
      this.#due.pack = 0;
      await journal.sync.tidy();
      await this.station.changed(); // the day's list begins anew
    }
    if (!this.network.online || !door.user || !door.session) return;
    try {
      await this.#sendMarks();
      if (now >= this.#due.pack) await this.#pack(now);
      if (now >= this.#due.live && !document.hidden) await this.#live(now);
      await this.#payments();
    } catch (fault) {
      if (["not_signed_in", "no_till"].includes(fault.code)) {
        door.lost();
        await this.station.changed();
      } else throw fault;
    }
  }

  async #pack(now) {
    this.#due.pack = now + AGAIN; // unless it comes
    const fresh = await this.station.packs.refresh();
    this.#due.pack = now + PACK;
    if (!fresh) return;
    this.live = null;
    this.#due.live = 0;
    await this.station.changed();
  }

  async #live(now) {
    this.#due.live = now + LIVE;
    const before = JSON.stringify([this.live?.left, this.live?.gone, this.live?.waiting]);
    this.live = await this.network.get("/till/live");
    const { left, gone, waiting } = this.live;
    if (JSON.stringify([left, gone, waiting]) !== before) await this.station.changed();
  }

  // Every payment that is waited for, until it is known how it ended; also after a reload.
  async #payments() {
    const waiting = this.station.counter.rows.filter((row) => row.state === "awaiting");
    this.#looks += waiting.length ? 1 : 0;
    for (const row of waiting) {
      if (this.#looks % ASK_PROVIDER === 0) await this.#askProvider(row.order_id);
      await this.paymentState(row.order_id);
    }
  }

  async #askProvider(orderId) {
    try {
      await this.network.send("POST", `/till/orders/${orderId}/payment`, {});
    } catch {
      // It answers with a page, or not at all; the state tells.
    }
  }

  async paymentState(orderId) {
    const said = await this.network.get(`/till/orders/${orderId}/payment/state`);
    const state = said.paid ? "done" : said.state === "cancelled" ? "voided" : null;
    if (state) {
      const changed = await this.store.change(["sales"], async ({ sales }) => {
        const row = (await reading(sales.getAll())).find((one) => one.order_id === orderId);
        if (row?.state !== "awaiting") return false;
        sales.put({ ...row, state });
        return true;
      });
      if (changed) await this.station.changed();
    }
    return said;
  }

  // Sold out or back on: here at once, at the server as soon as it can be told.
  async mark(itemId, gone) {
    if (!this.station.pack) throw refusal("locked");
    this.#marks = { ...this.#marks, [itemId]: gone };
    await this.store.put("meta", this.#marks, "marks");
    try {
      if (this.network.online && this.station.door.session) await this.#sendMarks();
    } catch (fault) {
      if (!(fault instanceof Offline)) throw fault;
    } finally {
      await this.station.changed();
    }
  }

  async #sendMarks() {
    for (const [itemId, gone] of Object.entries(this.#marks)) {
      try {
        const act = gone ? "sold-out" : "back-on";
        const said = await this.network.send("POST", `/till/items/${itemId}/${act}`, {});
        this.#knows(itemId, said);
      } catch (fault) {
        if (fault instanceof Offline || fault.code === "not_signed_in") throw fault;
        await this.#sent(itemId); // said no: it is no longer ours to decide
        throw fault;
      }
      await this.#sent(itemId);
    }
  }

  #knows(itemId, { left, gone }) {
    if (left === undefined) return;
    this.live ??= { left: {}, gone: [], waiting: null, head: this.station.pack.till.head };
    this.live.left[itemId] = left;
    this.live.gone = this.live.gone.filter((one) => one !== Number(itemId));
    if (gone) this.live.gone.push(Number(itemId));
  }

  async #sent(itemId) {
    const { [itemId]: _, ...rest } = this.#marks;
    this.#marks = rest;
    await this.store.put("meta", rest, "marks");
  }

  // Portions left as last heard, without what this till has sold since.
  left(itemId) {
    const marked = this.#marks[itemId];
    if (marked === true) return 0;
    const { pack, counter } = this.station;
    const item = pack?.menus.flatMap((menu) => menu.items).find((one) => one.item_id === itemId);
    if (!item) return 0;
    const heard = this.live?.left?.[itemId];
    if (!marked && this.live?.gone?.includes(itemId)) return 0;
    const head = heard === undefined ? pack.till.head : this.live.head;
    const since = counter.rows.filter((row) => row.number > head);
    const base = heard ?? item.left;
    // Taken back since: the portions are there again before the server is asked the next time.
    const back = counter.rows.filter((row) => row.number <= head && row.voided_in > head);
    return Math.max(0, base - (takenBy(since).get(itemId) ?? 0) + portionsOf(back, itemId));
  }
}
