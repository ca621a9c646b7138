// The one thing the screens talk to: a till that sells with and without the network.
import { usedBy } from "./allowance.js";
import { Clock } from "./clock.js";
import { Counter } from "./counter.js";
import { Door } from "./door.js";
import { findLocal } from "./finding.js";
import { Journal } from "./journal.js";
import { Network } from "./network.js";
import { Pack } from "./pack.js";
import { priced } from "./pricing.js";
import { Offline, Refusal, refusal } from "./refusals.js";
import { openStore } from "./store.js";
import { Watch } from "./watch.js";

export { Offline, Refusal };

export async function openStation() {
  const station = new Station(await openStore());
  await station.start();
  return station;
}

// Fires "change" after anything changed that a screen may show.
class Station extends EventTarget {
  #told = 0;

  constructor(store) {
    super();
    this.store = store;
    this.clock = new Clock();
    this.network = new Network(this.clock, { till: () => this.journal.till?.id });
    this.journal = new Journal(this);
    this.packs = new Pack(this);
    this.door = new Door(this);
    this.counter = new Counter(this);
    this.watch = new Watch(this);
    this.others = new BroadcastChannel(store.database.name);
  }

  async start() {
    this.clock.off = (await this.store.get("meta", "clock")) ?? null;
    await this.journal.open();
    await this.packs.open();
    await this.door.open();
    await this.counter.load();
    this.others.onmessage = () => this.reload();
    this.journal.addEventListener("change", () => this.changed());
    this.network.addEventListener("change", () => this.watch.networkChanged());
    this.network.addEventListener("hello", () => this.watch.helloCame());
    // What is on the disk can be sold from at once; whether anybody answers is found out behind.
    this.ready = this.network.start().then(() => this.watch.start());
  }

  // Reads again what another tab may have changed.
  async reload() {
    await this.journal.open();
    const kept = await this.store.get("meta", "user");
    if (Boolean(kept) !== Boolean(this.door.user) || kept?.id !== this.door.user?.id) {
      await this.packs.open();
      await this.door.open();
    }
    await this.counter.load();
    this.#fire();
  }

  // Tells the screens and the other tabs.
  async changed() {
    const turn = ++this.#told;
    await this.counter.load();
    this.others.postMessage("changed");
    if (turn === this.#told) this.#fire();
  }

  get state() {
    const { till, trouble, waiting } = this.journal;
    const { user, session } = this.door;
    return {
      enrolled: till !== undefined, till: till ?? null, user, unlocked: user !== null && this.packs.isOpen,
      online: this.network.online, session, waiting, shift: this.counter.shift.open,
      packAt: this.pack?.made_at ?? null, practice: false,
      alarm: trouble && trouble.code !== "till_withdrawn" ? trouble : null,
      withdrawn: trouble?.code === "till_withdrawn" || Boolean(this.network.hello?.till?.withdrawn),
      recovered: this.watch.recovered, toCollect: this.watch.live?.waiting ?? null,
    };
  }

  get pack() {
    return this.packs.current;
  }

  // Whether a sale can be put to the server before anything is handed over.
  get asks() {
    const { trouble } = this.journal;
    return this.network.online && (!trouble || trouble.code === "till_withdrawn");
  }

  enrol(code, name) {
    return this.door.enrol(code, name);
  }

  cashiers() {
    return this.door.cashiers();
  }

  unlock(userId, pin) {
    return this.door.unlock(userId, pin);
  }

  lock() {
    return this.door.lock();
  }

  // Who a scanned or typed text may mean: from the server, or without it among the regulars.
  async find(text, meal) {
    if (!this.pack) throw refusal("locked");
    if (this.network.online && this.door.session) {
      const head = this.counter.acked;
      try {
        const { found, sure } = await this.network.send("POST", "/till/find", { text, meal }, { limit: 4000 });
        const as = { fresh: true, counted_on: this.clock.today(), head, seen_at: this.clock.now() };
        return { found: found.map((one) => ({ ...one, ...as })), sure, local: false, card: null };
      } catch (fault) {
        if (fault.code === "not_signed_in" || fault.code === "no_till") this.door.lost();
        else if (!(fault instanceof Offline)) throw fault;
      }
    }
    return findLocal(text, this.pack, this.journal.key);
  }

  // An elder's meals in the day, the week and the month, with what this till has sold since.
  used(elder, meal) {
    return usedBy(elder, { on: this.clock.today(), meal, sales: this.counter.rows });
  }

  usual(meal) {
    const ids = this.pack?.usual?.[meal] ?? [];
    const known = new Map((this.pack?.elders ?? []).map((elder) => [elder.id, elder]));
    return ids.map((id) => known.get(id)).filter(Boolean);
  }

  // With `online` given: as if the server could be asked, or could not.
  price(basket, online = this.asks) {
    if (!this.pack) throw refusal("locked");
    const { rows: sales, unsent } = this.counter;
    const elder = this.#newest(basket.elder);
    return priced({ ...basket, elder }, { pack: this.pack, on: this.clock.today(), online, sales, unsent });
  }

  // Who was identified a while ago may have eaten elsewhere since: the newest word counts.
  #newest(elder) {
    const known = elder && this.pack.elders.find((one) => one.id === elder.id);
    return known && known.seen_at > (elder.seen_at ?? 0) ? known : (elder ?? null);
  }

  sell(basket, how) {
    return this.counter.sell(basket, how);
  }

  sales() {
    return this.counter.today();
  }

  voidSale(number, reasonCode, reason) {
    return this.counter.voidSale(number, reasonCode, reason);
  }

  openShift(floatFen) {
    return this.counter.openShift(floatFen);
  }

  move(fen, reasonCode, reason) {
    return this.counter.move(fen, reasonCode, reason);
  }

  closeShift(count, reason, leftFen) {
    return this.counter.closeShift(count, reason, leftFen);
  }

  soldOut(itemId) {
    return this.watch.mark(itemId, true);
  }

  backOn(itemId) {
    return this.watch.mark(itemId, false);
  }

  paymentState(orderId) {
    return this.watch.paymentState(orderId);
  }

  left(itemId) {
    return this.watch.left(itemId);
  }

  flush() {
    return this.journal.flush();
  }

  #fire() {
    this.dispatchEvent(new Event("change"));
  }
}
