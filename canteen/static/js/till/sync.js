// Sends what the journal holds, in order and once only, however often it has to be sent.
// Nothing leaves the outbox but what the server acknowledged; it stays in `journal` some days.
import { Refusal } from "./refusals.js";
import { faceOf, settled } from "./sales.js";
import { reading } from "./store.js";

const BATCH = 50;
const LIMIT = 15_000;
const KEPT = 3 * 24 * 3_600_000; // for receipts, for voids, and for a server put back to a backup
const LONGEST = 60_000;
const SOON = 50;

// About the chain, not about an entry: somebody has to look, and nothing more is sent meanwhile.
export const ALARMS = new Set([
  "journal_altered", "journal_unsigned", "journal_ahead", "journal_gap", "no_such_till",
  "bad_journal",
]);
const WORDS = {
  journal_ahead: {
    zh: "服务器上的流水比这台平板的还新。请停用并报告经理",
    en: "The server knows later entries than this tablet made. Stop and tell the manager",
  },
  journal_gap: {
    zh: "服务器缺少这台平板已清理的旧流水。请报告经理",
    en: "The server lacks old entries this tablet no longer holds. Tell the manager",
  },
};

export class Sync {
  failures = 0;

  constructor(journal) {
    Object.assign(this, { journal, store: journal.store, network: journal.network });
  }

  // Sends soon, without anybody waiting for it.
  soon(delay = SOON) {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), delay);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  // Sends everything unsent; one tab at a time. Without `wait` a busy tab leaves it to the other.
  async flush({ wait = false } = {}) {
    const how = wait ? {} : { ifAvailable: true };
    return navigator.locks.request(`${this.store.database.name}-sync`, how, async (lock) => {
      if (!lock || !this.journal.till) return;
      try {
        while (await this.#batch());
        this.failures = 0;
        if (this.journal.waiting) await this.journal.changed();
      } catch (fault) {
        this.failures += 1;
        if (fault instanceof Refusal) await this.raise(fault);
        const pause = Math.min(LONGEST, 1000 * 2 ** Math.min(this.failures, 6));
        this.soon(pause - Math.floor(Math.random() * 500)); // tills do not all return at once
      }
    });
  }

  // One batch; whether there is more to send.
  async #batch() {
    const waiting = await this.store.all("outbox");
    const asking = waiting.findIndex((entry) => entry.asking);
    const ready = (asking < 0 ? waiting : waiting.slice(0, asking)).slice(0, BATCH);
    if (!ready.length) return false;
    const { number: last } = await this.store.get("meta", "head");
    const answer = await this.post(ready, last, { live: false, limit: LIMIT });
    const taken = await this.take(answer);
    await this.journal.changed();
    if (answer.head > last) throw new Refusal("journal_ahead", WORDS.journal_ahead);
    if (answer.head < ready[0].number - 1) await this.#sendAgainAfter(answer.head);
    else if (!taken) throw new Error("the server took nothing");
    return true;
  }

  post(entries, last, { live, limit }) {
    const body = {
      till: this.journal.till.id,
      now: new Date(this.journal.clock.device()).toISOString(),
      last, live,
      entries: entries.map(({ number, body: text, mac }) => ({ number, body: text, mac })),
    };
    return this.network.send("POST", "/till/journal", body, { limit, bare: true });
  }

  // Moves what was acknowledged out of the outbox; an answer heard twice changes nothing more.
  async take(answer) {
    let taken = 0;
    await this.store.change(["meta", "outbox", "journal", "sales"], async (stores) => {
      for (const outcome of answer.outcomes ?? []) {
        const entry = await reading(stores.outbox.get(outcome.number));
        if (!entry || outcome.number > answer.head) continue;
        stores.journal.put({ ...entry, asking: false, outcome, at: this.journal.clock.now() });
        stores.outbox.delete(outcome.number);
        const about = entry.kind === "void" ? JSON.parse(entry.body).of : outcome.number;
        const sale = await reading(stores.sales.get(about));
        if (sale) stores.sales.put(settled(sale, entry.kind, outcome));
        const acked = (await reading(stores.meta.get("acked"))) ?? 0;
        stores.meta.put(Math.max(acked, outcome.number), "acked");
        taken += 1;
      }
      if (taken) stores.meta.delete("trouble");
    });
    return taken;
  }

  // The server forgot what it had acknowledged (a backup was put back): it is told again.
  async #sendAgainAfter(head) {
    await this.store.change(["outbox", "journal"], async ({ outbox, journal }) => {
      const known = await reading(journal.getAll(IDBKeyRange.lowerBound(head, true)));
      if (known[0]?.number !== head + 1) throw new Refusal("journal_gap", WORDS.journal_gap);
      for (const { outcome, at, ...entry } of known) {
        outbox.put(entry);
        journal.delete(entry.number);
      }
    });
  }

  // What the server has against this journal is kept where every tab and every start sees it.
  async raise({ code, text }) {
    if (code === "not_signed_in") return;
    await this.store.put("meta", { code, text, alarm: ALARMS.has(code) }, "trouble");
    await this.journal.changed();
  }

  // Drops what is long since acknowledged.
  async tidy() {
    const before = this.journal.clock.now() - KEPT;
    await this.store.change(["journal", "sales", "pack"], async ({ journal, sales, pack }) => {
      for (const { number, at } of await reading(journal.getAll())) {
        if (at >= before) break;
        journal.delete(number);
        sales.delete(number);
        pack.delete(faceOf(number));
      }
    });
  }
}
