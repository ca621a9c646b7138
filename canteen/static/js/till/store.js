// IndexedDB as promises. What a write says is done has reached the disk.
const VERSION = 1;
const STORES = {
  meta: null, // single facts by name: head, till, clock, door, shift, …
  outbox: "number", // signed entries that the server has not acknowledged
  journal: "number", // acknowledged entries and what became of them, kept for some days
  sales: "number", // what the screens show of this till's sales
  pack: null, // the sealed pack, and for each cashier the means to open it
  keys: null, // CryptoKeys that cannot be read out: the till's, and the pack's while unlocked
};

export const TILL = "canteen-till";

export function openStore(name = TILL) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, VERSION);
    opening.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(STORES)) {
        if (!opening.result.objectStoreNames.contains(store)) {
          opening.result.createObjectStore(store, keyPath ? { keyPath } : undefined);
        }
      }
    };
    opening.onsuccess = () => resolve(new Store(opening.result));
    opening.onerror = () => reject(opening.error);
  });
}

export class Store {
  constructor(database) {
    this.database = database;
    // A newer version of the app in another tab may not wait for this one.
    database.onversionchange = () => database.close();
  }

  get(store, key) {
    return this.#read(store, (from) => from.get(key));
  }

  all(store, range) {
    return this.#read(store, (from) => from.getAll(range));
  }

  count(store) {
    return this.#read(store, (from) => from.count());
  }

  // `act(stores)` runs inside one durable transaction; it may only wait for `reading(…)` of it.
  // What it throws undoes everything. Resolves when the disk has it.
  change(names, act) {
    return new Promise((resolve, reject) => {
      const writing = this.database.transaction(names, "readwrite", { durability: "strict" });
      let result;
      let fault = null;
      writing.oncomplete = () => resolve(result);
      writing.onabort = () => reject(fault ?? writing.error ?? new Error("not written"));
      const stores = Object.fromEntries(names.map((name) => [name, writing.objectStore(name)]));
      (async () => act(stores))().then(
        (given) => {
          result = given;
        },
        (error) => {
          fault = error;
          try {
            writing.abort();
          } catch {
            reject(error); // it had ended already
          }
        },
      );
    });
  }

  put(store, value, key) {
    return this.change([store], (stores) => void stores[store].put(value, key));
  }

  drop(store, key) {
    return this.change([store], (stores) => void stores[store].delete(key));
  }

  #read(store, ask) {
    return reading(ask(this.database.transaction(store).objectStore(store)));
  }
}

// One request's result.
export function reading(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
