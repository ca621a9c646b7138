// The till: holds what the screens show, hears scanner and keys, and asks the station to act.
import { announce, say } from "../words.js";
import * as baskets from "./basket.js";
import { draw } from "./dom.js";
import { hear } from "./hotkeys.js";
import { keepInstalled } from "./installing.js";
import { named, told } from "./parts.js";
import { body } from "./screens/frame.js";
import { today } from "./shanghai.js";
import { beep, wake } from "./sound.js";
import { openStation } from "./station.js";

const TOAST = 8000; // milliseconds

class App {
  view = "sale";
  basket = baskets.empty("lunch", "eat_in");
  priced = null; // {for: basket, quote, ask} or {for: basket, fault}
  found = null; // people a search may mean
  looked = "";
  unknown = null; // a good card number that nobody here has
  typed = ""; // in the search field
  finding = false;
  busy = false;
  problem = null; // what was just refused, {zh, en}
  done = null; // number of the sale whose end is shown
  hidden = new Set(); // numbers whose end needs no strip any more
  sales = [];
  usual = [];
  dialog = null; // a function that draws a sheet
  toast = null;
  form = {}; // what is typed on the screen shown
  #turn = 0;
  #pricing = Promise.resolve();
  #toastEnds = 0;

  constructor(root) {
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
    this.done = this.dialog = this.found = this.problem = this.toast = null;
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
      this.usual = usual ?? [];
    } else {
      this.sales = this.usual = [];
    }
    this.render();
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
    const now = new Date(Date.now() + 8 * 3600_000).toISOString().slice(11, 16);
    const hours = (this.station.pack?.hours ?? []).filter((one) => menus.some((menu) => menu.meal === one.meal));
    const next = [...hours].sort((a, b) => (a.closes < b.closes ? -1 : 1)).find((one) => now < one.closes);
    return (next ?? menus.at(-1))?.meal ?? "lunch";
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

  reprice() {
    const { basket, station } = this;
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
  }

  other() {
    this.found = null;
    this.change(baskets.but(this.basket, { elder: null, card: "", other: true, how: "other", toAccount: false, lines: this.basket.prefilled ? new Map() : this.basket.lines }));
  }

  card(number) {
    this.found = null;
    this.change(baskets.but(this.basket, { elder: null, other: false, card: number, how: "card" }));
  }

  nobody() {
    const lines = this.basket.prefilled ? new Map() : this.basket.lines;
    this.change(baskets.but(this.basket, { elder: null, other: false, card: "", how: "", toAccount: false, lines, prefilled: false, allowed: new Set() }));
  }

  identify(elder, how) {
    const before = this.basket;
    this.typed = "";
    this.found = null;
    this.change(baskets.identify(before, elder, how, this.items(), this.left));
    announce(say(`${elder.name}，${elder.age} 岁`, `${elder.name}, aged ${elder.age}`));
    if (before.elder && before.elder.id !== elder.id && before.lines.size && !before.prefilled) {
      this.say(say(`换成 ${elder.name}，菜没有变`, `Now ${elder.name}; the dishes stay`), () => this.change(before));
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
  }

  endWords(sale) {
    const back = (sale.received_fen ?? sale.cash_fen) - sale.cash_fen;
    if (sale.state === "awaiting") return say("等食客扫码付款", "Waiting for the diner's payment");
    return back > 0 ? say(`已收款，找零 ${(back / 100).toFixed(2)}`, `Paid; change ${(back / 100).toFixed(2)}`) : say("已收款，出餐", "Paid; serve");
  }

  // A payment that was waited for has arrived: heard even when nobody looks.
  #arrived(before) {
    const waited = before.filter((sale) => sale.state === "awaiting").map((sale) => sale.number);
    for (const sale of this.sales) {
      if (sale.state !== "done" || !waited.includes(sale.number)) continue;
      beep(true);
      announce(say(`${(sale.parts.payable_fen / 100).toFixed(2)} 元已到账`, `${(sale.parts.payable_fen / 100).toFixed(2)} has arrived`));
    }
  }

  sale(number) {
    return this.sales.find((one) => one.number === number) ?? null;
  }

  // Runs one act once, however often it is tapped; says what was refused. True when it was done.
  async act(work) {
    if (this.busy) return false;
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

const ODD = {
  zh: "这一步没有做成，请再试；还不行，请告诉管理员",
  en: "That did not work; try again, and tell the manager if it does not",
};

// How somebody was identified, from what was typed or scanned.
function how(text) {
  if (/^\d{17}[\dXx]$/.test(text)) return "ric";
  if (/^1[3-9]\d{9}$/.test(text)) return "phone";
  if (/^\d{10,11}$/.test(text)) return "card";
  return /^\d+[Xx]?$/.test(text) ? "tail" : "name";
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
