// The till's journal: numbered, chained and signed entries that are on disk before anything shows.
// Two locks keep order between tabs: "journal" around making an entry, "sync" around sending;
// whoever needs both takes them in that order.
import { sign } from "./keys.js";
import { Refusal } from "./refusals.js";
import { faceOf } from "./sales.js";
import { reading } from "./store.js";
import { ALARMS, Sync } from "./sync.js";

const LIVE = 4_000; // a queue waits no longer for an answer
const START = { number: 0, mac: "" };
const ALL = ["meta", "outbox", "sales", "pack"];
const LATER = new Set(["too_often", "too_large"]); // no word about the sale itself

export class Journal extends EventTarget {
  waiting = 0;
  orphans = [];

  constructor({ store, network, clock }) {
    super();
    Object.assign(this, { store, network, clock });
    this.sync = new Sync(this);
    addEventListener("pagehide", () => {
      this.leaving = true;
    });
  }

  async open() {
    this.key = await this.store.get("keys", "till");
    this.till = await this.store.get("meta", "till");
    await this.count();
  }

  // How much is unsent, what is wrong: as the disk has it.
  async count() {
    this.waiting = await this.store.count("outbox");
    this.trouble = (await this.store.get("meta", "trouble")) ?? null;
  }

  async changed() {
    await this.count();
    this.dispatchEvent(new Event("change"));
  }

  flush() {
    return this.sync.flush();
  }

  // Makes the next entry. While the server answers it is asked at once and may refuse: then the
  // same number is signed as withdrawn and its Refusal is thrown. Else the entry is kept and sent
  // later. `prepare(ask)` gives what the entry says once it is its turn: {fields, also, undo};
  // `also(stores, number)` writes what belongs to it in the same transaction, `undo` says what to
  // put back if it is withdrawn. Gives {number, outcome: {…}|null}.
  act(kind, prepare, { limit = LIVE, live = true } = {}) {
    return this.#alone(async () => {
      await this.#askOrphans();
      const ask = live && this.network.online && (await this.#allSent());
      const { fields, also, undo = {} } = await prepare(ask);
      const entry = await this.#write(kind, fields, { also, undo, asking: ask });
      const outcome = ask ? await this.#askLive(entry, limit) : null;
      this.sync.soon();
      return { number: entry.number, outcome };
    });
  }

  recover() {
    return this.#alone(() => this.#askOrphans());
  }

  // An entry that was being asked when the tablet went dark is asked again. What became of each
  // is told in `orphans`: {number, kind, now: "done"|"kept"|"withdrawn", refusal}.
  async #askOrphans() {
    for (const entry of (await this.store.all("outbox")).filter((one) => one.asking)) {
      const { number, kind } = entry;
      try {
        const outcome = this.network.online ? await this.#askLive(entry, LIVE) : null;
        if (!outcome) await this.#keep(entry);
        this.orphans.push({ number, kind, now: outcome ? "done" : "kept", refusal: null });
      } catch (refusal) {
        if (!(refusal instanceof Refusal)) throw refusal;
        this.orphans.push({ number, kind, now: "withdrawn", refusal });
      }
    }
  }

  async #alone(act) {
    try {
      return await navigator.locks.request(`${this.store.database.name}-journal`, act);
    } finally {
      await this.changed();
    }
  }

  // Only the newest entry may be asked live, so whatever is older goes first.
  async #allSent() {
    if (this.trouble && this.trouble.code !== "till_withdrawn") return false;
    if ((await this.store.count("outbox")) === 0) return true;
    const enough = new Promise((resolve) => {
      setTimeout(resolve, LIVE);
    });
    await Promise.race([this.sync.flush({ wait: true }), enough]);
    return this.network.online && (await this.store.count("outbox")) === 0;
  }

  // Signing cannot happen inside a transaction, so the head is compared again when writing.
  async #write(kind, fields, { also, undo, asking }) {
    for (;;) {
      const head = (await this.store.get("meta", "head")) ?? START;
      const number = head.number + 1;
      const at = new Date(this.clock.device()).toISOString();
      const body = JSON.stringify({ v: 1, kind, at, off: this.clock.off, ...fields });
      const mac = await sign(this.key, head.mac, number, body);
      const entry = { number, kind, body, mac, previous: head.mac, undo, asking };
      const written = await this.store.change(ALL, async (stores) => {
        const now = (await reading(stores.meta.get("head"))) ?? START;
        if (now.number !== head.number || now.mac !== head.mac) return false;
        stores.meta.put({ number, mac }, "head");
        stores.outbox.add(entry);
        await also?.(stores, number);
        return true;
      });
      if (written) return entry;
    }
  }

  async #askLive(entry, limit) {
    try {
      const answer = await this.sync.post([entry], entry.number, { live: true, limit });
      await this.sync.take(answer);
      const outcome = answer.outcomes?.find((one) => one.number === entry.number);
      if (outcome) return outcome;
    } catch (fault) {
      // A page that is being left hears nothing more: the next one asks again.
      if (this.leaving) await new Promise(() => {});
      if (fault instanceof Refusal && !ALARMS.has(fault.code) && !LATER.has(fault.code)) {
        await this.#withdraw(entry, fault.code);
        if (fault.code === "till_withdrawn") await this.sync.raise(fault);
        throw fault;
      }
      if (ALARMS.has(fault.code)) await this.sync.raise(fault);
    }
    await this.#keep(entry);
    return null;
  }

  // From here on the entry stands, whether or not the server has heard of it.
  #keep(entry) {
    return this.store.change(["outbox"], async ({ outbox }) => {
      const now = await reading(outbox.get(entry.number));
      if (now?.asking) outbox.put({ ...now, asking: false });
    });
  }

  // The server said no and recorded nothing: the number says so, in the same place of the chain.
  async #withdraw(entry, code) {
    const { shift, cashier } = JSON.parse(entry.body);
    const at = new Date(this.clock.device()).toISOString();
    const said = { v: 1, kind: "withdrawn", at, off: this.clock.off, shift, cashier, code };
    const body = JSON.stringify(said);
    const { number, previous } = entry;
    const mac = await sign(this.key, previous, number, body);
    await this.store.change(ALL, async (stores) => {
      const head = await reading(stores.meta.get("head"));
      if (head.number !== number || head.mac !== entry.mac) throw new Error("not the newest entry");
      stores.meta.put({ number, mac }, "head");
      stores.outbox.put({ number, kind: "withdrawn", body, mac, previous, undo: {}, asking: false });
      stores.sales.delete(number);
      stores.pack.delete(faceOf(number));
      for (const [name, value] of Object.entries(entry.undo.meta ?? {})) stores.meta.put(value, name);
      if (entry.undo.unvoid) {
        const sale = await reading(stores.sales.get(entry.undo.unvoid.number));
        if (sale) stores.sales.put({ ...sale, ...entry.undo.unvoid, voided_in: null });
      }
    });
    this.sync.soon();
  }
}
