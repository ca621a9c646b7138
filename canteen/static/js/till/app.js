// The till: holds what the screens show, hears scanner and keys, and asks the station to act.
import { announce, say } from "../words.js";
import * as baskets from "./basket.js";
import { draw } from "./dom.js";
import { hear } from "./hotkeys.js";
import { keepInstalled } from "./installing.js";
import { named, told } from "./parts.js";
import { body } from "./screens/frame.js";
import { ODD, Selling } from "./selling.js";
import { beep, wake } from "./sound.js";
import { openStation } from "./station.js";

const TOAST = 8000; // milliseconds

class App extends Selling {
  view = "sale";
  hidden = new Set(); // numbers whose end needs no strip any more
  usual = [];
  dialog = null; // a function that draws a sheet
  toast = null;
  form = {}; // what is typed on the screen shown
  #toastEnds = 0;
  #heard = null; // what was already said of sales that were under way

  constructor(root) {
    super();
    this.root = root;
    this.render = this.render.bind(this);
    this.changed = this.changed.bind(this);
  }

  async begin(station) {
    this.station?.removeEventListener("change", this.changed);
    this.station = station;
    station.addEventListener("change", this.changed);
    this.reset();
    await this.changed();
  }

  reset() {
    this.view = "sale";
    this.form = {};
    this.sales = [];
    this.standing = this.done = this.dialog = this.found = this.problem = this.toast = null;
    this.hidden = new Set();
    this.basket = baskets.empty(this.mealNow(), "eat_in");
  }

  // Something changed at the station: another price, another dish sold out, another sale sent.
  async changed() {
    const { station } = this;
    if (!this.menu(this.basket.meal) && !this.basket.lines.size) this.basket = this.clean();
    this.reprice();
    if (station.state.unlocked) {
      const meal = this.basket.meal;
      const [sales, usual] = await Promise.all([station.sales(), station.usual(meal)]);
      if (station !== this.station) return;
      const before = this.sales;
      this.sales = (sales ?? []).map((sale) => ({ ...sale }));
      this.#arrived(before);
      this.#again();
      this.#recovered();
      this.usual = usual ?? [];
    } else {
      this.sales = this.usual = [];
    }
    this.render();
  }

  // A payment that was waited for has arrived: heard even when nobody looks.
  #arrived(before) {
    const waited = before.filter((sale) => sale.state === "awaiting").map((sale) => sale.number);
    for (const sale of this.sales) {
      if (!waited.includes(sale.number)) continue;
      if (sale.state === "voided" && sale.voided_in === null) this.#lapsed(sale);
      if (sale.state !== "done") continue;
      beep(true);
      announce(say(`${(sale.parts.payable_fen / 100).toFixed(2)} 元已到账`, `${(sale.parts.payable_fen / 100).toFixed(2)} has arrived`));
    }
  }

  // A payment that never came was taken back by the server; what was given in cash goes back.
  #lapsed({ number, cash_fen }) {
    beep(false);
    const sum = (cash_fen / 100).toFixed(2);
    this.say(say(`第 ${number} 号没有付款，已取消`, `No. ${number} was not paid and is cancelled`) + (cash_fen ? say(`，请退现金 ${sum} 元`, `; give back ${sum} in cash`) : ""), null);
  }

  // What became of a sale that was under way when the tablet went dark.
  #recovered() {
    const found = this.station.state.recovered ?? [];
    if (!found.length || found === this.#heard) return;
    this.#heard = found;
    const words = found.map(({ number, now, refusal }) => {
      if (now === "done") return say(`第 ${number} 号已入账`, `No. ${number} went through`);
      if (now === "kept") return say(`第 ${number} 号已保存，联网后上传`, `No. ${number} is kept and will be sent`);
      return say(`第 ${number} 号没有成交：`, `No. ${number} was not sold: `) + told(refusal?.text);
    });
    this.say(words.join(say("；", "; ")), null);
  }

  // A page of the server may send an order's dishes back, to be paid in cash after all.
  #again() {
    const { state, pack } = this.station;
    if (!location.search || state.practice || !state.shift || !pack) return;
    const asked = new URLSearchParams(location.search);
    history.replaceState(null, "", location.pathname);
    const lines = new Map();
    for (const [name, many] of asked) if (/^item-\d+$/.test(name)) lines.set(Number(name.slice(5)), Number(many) || 1);
    if (!lines.size || !this.menu(asked.get("meal"))) return;
    const elder = pack.elders.find((one) => one.id === Number(asked.get("elder"))) ?? null;
    const basket = { ...this.clean(), meal: asked.get("meal"), lines, elder, how: elder ? "list" : "" };
    this.change(asked.has("other") ? { ...basket, other: true, how: "other" } : basket);
  }

  // Whether nothing would be lost if the page began anew this moment.
  get idle() {
    const { basket, form } = this;
    const typing = this.typed || form.pin || form.code || form.float;
    const open = this.busy || this.dialog || this.done !== null || basket.lines.size || baskets.chosen(basket);
    return this.view === "sale" && !typing && !open;
  }

  set(changes) {
    Object.assign(this, changes);
    this.render();
  }

  render() {
    draw(this.root, body(this));
  }

  // Runs one act once, however often it is tapped; says what was refused. True when it was done.
  async act(work) {
    if (this.busy) return false;
    announce(""); // what was wrong before is not said of what comes now
    this.set({ busy: true, problem: null });
    try {
      const result = await work();
      return result === undefined ? true : result;
    } catch (fault) {
      beep(false);
      if (!fault.text) console.error(fault);
      this.problem = fault.text ?? ODD;
      announce(told(this.problem));
      return false;
    } finally {
      this.busy = false;
      this.render();
    }
  }

  async soldOut(item) {
    if (!(await this.act(() => this.station.soldOut(item.item_id)))) return;
    if (this.basket.lines.has(item.item_id)) this.change(baskets.add(this.basket, item.item_id, -baskets.MOST));
    this.say(say(`“${named(item)}”已售完`, `“${named(item)}” is sold out`), () => this.backOn(item));
  }

  backOn(item) {
    return this.act(() => this.station.backOn(item.item_id));
  }

  say(words, undo) {
    clearTimeout(this.#toastEnds);
    this.#toastEnds = setTimeout(() => this.set({ toast: null }), TOAST);
    announce(words);
    this.set({ toast: { words, undo } });
  }

  go(view) {
    this.set({ view, form: {}, problem: null, dialog: null, toast: null });
  }

  speak(language) {
    document.documentElement.lang = language === "en" ? "en" : "zh-Hans-CN";
    document.cookie = `lang=${language};path=/;max-age=31536000;samesite=lax`;
    try {
      localStorage.setItem("lang", language);
    } catch {
      // The cookie says it as well.
    }
    document.title = say("收银 · 老人家食堂", "Till · Canteen");
    this.render();
  }

  async practise(on) {
    if (on) {
      this.real ??= this.station;
      const { openPractice } = await import("./practice.js");
      await this.begin(await openPractice());
    } else if (this.real) {
      await this.begin(this.real);
      this.real = null;
    }
  }
}

function language() {
  const cookie = /(?:^|; )lang=(zh|en)/.exec(document.cookie)?.[1];
  try {
    return cookie ?? localStorage.getItem("lang") ?? "zh";
  } catch {
    return cookie ?? "zh";
  }
}

async function start() {
  const app = new App(document.getElementById("till"));
  document.documentElement.lang = language() === "en" ? "en" : "zh-Hans-CN";
  document.title = say("收银 · 老人家食堂", "Till · Canteen");
  await app.begin(await openStation());
  hear(app);
  keepInstalled(() => app.idle).catch(() => {}); // a browser without it sells while connected
  addEventListener("pointerdown", wake, { once: true });
  document.documentElement.classList.add("js");
  app.root.removeAttribute("aria-busy");
}

start();
