// Who stands at the till: enrolling the tablet, opening it by PIN, locking it.
import { importTillKey } from "./keys.js";
import { Offline, Refusal, refusal } from "./refusals.js";

export class Door {
  user = null;
  session = false; // whether the server knows who is here
  #signedAt = -Infinity;
  #typed = null; // a PIN entered offline, only in memory, until the server can be told

  constructor(station) {
    Object.assign(this, { station, store: station.store, network: station.network });
  }

  async open() {
    this.user = (this.station.packs.isOpen && (await this.store.get("meta", "user"))) || null;
  }

  async enrol(code, name) {
    const { till, key } = await this.#online(() =>
      this.network.send("POST", "/till/enrolment", { code, name }),
    );
    const signing = await importTillKey(key);
    await this.store.change(["keys", "meta"], ({ keys, meta }) => {
      keys.put(signing, "till");
      meta.put(till, "till");
    });
    await navigator.storage?.persist?.(); // unsent sales are not the browser's to clear away
    await this.station.journal.open();
    await this.station.changed();
    return till;
  }

  async cashiers() {
    const { till } = this.station.journal;
    if (!till) throw refusal("not_enrolled");
    if (this.network.online) {
      try {
        return (await this.network.get(`/till/door?till=${till.id}`)).cashiers;
      } catch (fault) {
        if (!(fault instanceof Offline)) throw fault;
      }
    }
    return this.station.packs.cashiers();
  }

  async unlock(userId, pin) {
    if (!this.station.journal.till) throw refusal("not_enrolled");
    if (!this.network.online) await this.network.probe();
    try {
      if (!this.network.online) throw new Offline();
      await this.#signIn(userId, pin);
    } catch (fault) {
      if (!(fault instanceof Offline)) throw fault;
      this.user = await this.station.packs.openKept(userId, pin);
      this.#typed = { userId, pin };
      this.session = false;
    }
    await this.station.watch.opened();
    await this.station.changed();
    return this.user;
  }

  async lock() {
    const toTell = this.session;
    Object.assign(this, { user: null, session: false });
    this.#typed = null;
    await this.station.packs.close();
    if (toTell) {
      await this.store.put("meta", true, "leaving");
      await this.leave();
    }
    await this.station.changed();
  }

  // The server hears of a sign-out, if not now then when it can be reached.
  async leave() {
    if (!this.network.online || !(await this.store.get("meta", "leaving"))) return;
    try {
      await this.network.send("DELETE", "/till/session");
      await this.store.drop("meta", "leaving");
      await this.network.probe(); // the token was the session's
    } catch {
      // The next time it is reached.
    }
  }

  // What the server's hello says of us.
  async recognised(hello) {
    if (!this.user) return this.leave();
    if (this.network.greetedAt < this.#signedAt) return undefined; // asked before, heard after
    const here = hello.user?.id === this.user.id;
    if (here && (await this.store.get("meta", "leaving"))) await this.store.drop("meta", "leaving");
    this.session = here;
    if (here || !this.#typed) return undefined;
    const { userId, pin } = this.#typed;
    this.#typed = null;
    try {
      await this.#signIn(userId, pin);
      await this.station.changed();
    } catch (fault) {
      if (fault instanceof Offline) this.#typed = { userId, pin };
    }
    return undefined;
  }

  // The session ended elsewhere; the till stays open and asks for the PIN when there is time.
  lost() {
    this.session = false;
  }

  async #signIn(userId, pin) {
    const till = this.station.journal.till.id;
    const said = await this.network.send("POST", "/till/session", { till, user_id: userId, pin });
    this.network.csrf = said.csrf ?? null;
    await this.station.packs.openWith(said.user, pin);
    this.#typed = null;
    this.user = said.user;
    this.session = true;
    this.#signedAt = performance.now();
    await this.store.drop("meta", "leaving");
  }

  async #online(act) {
    try {
      return await act();
    } catch (fault) {
      throw fault instanceof Refusal ? fault : refusal("needs_network");
    }
  }
}
