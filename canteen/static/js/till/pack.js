// What the tablet may know of menus, prices and people: sealed on disk, open only while a cashier
// has the till open. Every cashier who ever signed in here while connected has a lock of their own.
import { makeLock, makePackKey, openLock, seal, unseal, unwrapPackKey } from "./keys.js";
import { refusal } from "./refusals.js";
import { reading } from "./store.js";

const LOCK = "lock:";
const TRIES = 5;
const WAIT = 60_000;

export class Pack {
  current = null;
  #key = null;
  #keyId = null; // two tabs must not seal with different keys
  #etag = null;

  constructor({ store, network, clock }) {
    Object.assign(this, { store, network, clock });
  }

  // After a reload the till is as open as it was: the key lies in IndexedDB, unreadable.
  async open() {
    const held = await this.store.get("keys", "pack");
    this.#key = held?.key ?? null;
    this.#keyId = held?.id ?? null;
    const kept = this.#key && (await this.store.get("pack", "sealed"));
    this.#take(kept ? await unseal(this.#key, kept) : null, kept?.etag);
    return this.current;
  }

  get isOpen() {
    return this.#key !== null;
  }

  // The cashiers whose PIN opens this tablet without network.
  async cashiers() {
    const locks = await this.#locks();
    return locks.map(({ user }) => ({ ...user, has_pin: true }));
  }

  // With the network: the server has said that the PIN is right; its pack comes with it.
  async openWith(user, pin) {
    const fresh = await this.network.get("/till/pack");
    const mine = await this.store.get("pack", LOCK + user.id);
    const opened = mine && (await openLock(mine.lock, pin));
    const locks = (await this.#locks()).filter((one) => one.user.id !== user.id);
    if (opened) {
      this.#key = await unwrapPackKey(mine.wrapped, opened);
      this.#keyId = mine.keyId;
    }
    const rows = opened ? [] : await this.#newKey([...locks, { user, lock: await makeLock(pin) }]);
    await this.#keep(fresh, { rows, user });
  }

  // Without: the PIN opens what was kept, or it is the wrong one.
  async openKept(userId, pin) {
    const tries = (await this.store.get("meta", "tries")) ?? { many: 0, at: 0 };
    const now = this.clock.device();
    if (tries.many >= TRIES && now >= tries.at && now < tries.at + WAIT) {
      throw refusal("pin_too_often");
    }
    const mine = await this.store.get("pack", LOCK + userId);
    if (!mine || !(await this.store.get("pack", "sealed"))) throw refusal("not_known_here");
    const opened = await openLock(mine.lock, pin);
    if (!opened) {
      await this.store.put("meta", { many: (tries.many % TRIES) + 1, at: now }, "tries");
      throw refusal("wrong_pin", { field: "pin" });
    }
    const key = await unwrapPackKey(mine.wrapped, opened);
    await this.store.change(["keys", "meta"], ({ keys, meta }) => {
      keys.put({ key, id: mine.keyId }, "pack");
      meta.put(mine.user, "user");
      meta.delete("tries");
    });
    await this.open();
    return mine.user;
  }

  // Whether something new came.
  async refresh() {
    const fresh = await this.network.get("/till/pack", { etag: this.#etag });
    if (fresh.unchanged || !this.#key) return false;
    return this.#keep(fresh, {});
  }

  // Nobody is at the till: what was open is sealed, and the key is gone.
  async close() {
    this.#key = null;
    this.#keyId = null;
    this.#take(null);
    await this.store.change(["keys", "meta"], ({ keys, meta }) => {
      keys.delete("pack");
      meta.delete("user");
    });
  }

  // Other things that name people are sealed with the same key; null while it is not in hand.
  seal(value) {
    return this.#key ? seal(this.#key, value) : null;
  }

  async unseal(face) {
    try {
      return this.#key && face ? await unseal(this.#key, face) : null;
    } catch {
      return null; // sealed for other cashiers before this one came
    }
  }

  async #locks() {
    const range = IDBKeyRange.bound(LOCK, `${LOCK}\uffff`);
    return this.store.all("pack", range);
  }

  async #newKey(locks) {
    const { key, wrapped } = await makePackKey(locks.map((one) => one.lock));
    this.#key = key;
    this.#keyId = crypto.randomUUID();
    return locks.map((one, index) => ({ ...one, wrapped: wrapped[index], keyId: this.#keyId }));
  }

  async #keep(fresh, { rows = [], user = null }) {
    const { etag = null, ...pack } = fresh;
    const [key, id] = [this.#key, this.#keyId];
    const kept = { ...(await seal(key, pack)), etag, made_at: pack.made_at };
    const gone = (await this.#locks())
      .map((one) => one.user.id)
      .filter((id) => pack.cashiers?.length && !pack.cashiers.some((one) => one.id === id));
    const written = await this.store.change(["pack", "keys", "meta"], async (stores) => {
      const held = await reading(stores.keys.get("pack"));
      if (!user && held?.id !== id) return false; // locked, or opened anew, in another tab
      stores.pack.put(kept, "sealed");
      for (const row of rows) stores.pack.put(row, LOCK + row.user.id);
      for (const left of gone) stores.pack.delete(LOCK + left);
      if (user) {
        stores.keys.put({ key, id }, "pack");
        stores.meta.put(user, "user");
        stores.meta.delete("tries");
      }
      return true;
    });
    if (!written) await this.open();
    else if (this.#key === key) this.#take(pack, etag);
    return written;
  }

  // Of each elder it is noted as of when, and of which entry, the server counted.
  #take(pack, etag = null) {
    this.#etag = etag;
    const head = pack?.till?.head ?? 0;
    const seen_at = Date.parse(pack?.made_at);
    const elders = pack?.elders.map((one) => ({ ...one, counted_on: pack.on, head, seen_at }));
    this.current = pack && { ...pack, elders };
  }
}
