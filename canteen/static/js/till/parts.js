// The pieces every screen is made of; they look as they look on the pages the server draws.
import { say } from "../words.js";
import { h } from "./dom.js";
import { dayWords, isSunday, nextMonday } from "./shanghai.js";

const PATHS = {
  check: "M4 10.5l4 4 8-9",
  cross: "M5 5l10 10M15 5L5 15",
  alert: "M10 3l8 14H2zM10 8v4M10 14.6v.1",
  info: "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M10 9.5v4M10 6.3v.1",
  right: "M4 10h12M11 5l5 5-5 5",
  left: "M16 10H4M9 5l-5 5 5 5",
  back: "M4 8h8a4 4 0 0 1 0 8H8M7.5 4.5L4 8l3.5 3.5",
  clock: "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M10 6v4.3l2.8 1.7",
  search: "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M13 13l4 4",
  print: "M6 7V3h8v4M6 14H3V7h14v7h-3M6 12h8v5H6z",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  person: "M10 3.5a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4M3.5 17c.8-3.6 3.3-5 6.5-5s5.7 1.4 6.5 5",
  list: "M7 5h10M7 10h10M7 15h10M3.5 5v.1M3.5 10v.1M3.5 15v.1",
  network: "M3 8a10 10 0 0 1 14 0M5.8 11a6 6 0 0 1 8.4 0M10 15v.1",
  cut: "M3 8a10 10 0 0 1 14 0M10 15v.1M3 3l14 14",
  lock: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  keys: "M5 4v.1M10 4v.1M15 4v.1M5 8.5v.1M10 8.5v.1M15 8.5v.1M5 13v.1M10 13v.1M15 13v.1M10 17.2v.1",
  phone: "M6 2.5h8v15H6zM9 15h2",
  card: "M2.5 5h15v10h-15zM2.5 8.5h15",
  out: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M5 5l10 10",
  help: "M7.5 7.5a2.5 2.5 0 1 1 3.5 2.3c-.7.4-1 .8-1 1.7M10 14.5v.1M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15",
};

export const MEALS = { breakfast: ["早餐", "Breakfast"], lunch: ["午餐", "Lunch"], dinner: ["晚餐", "Dinner"] };
export const SERVICES = { eat_in: ["堂食", "Eat in"], pick_up: ["自取", "To go"] };
export const MARKS = {
  soft: ["软烂", "Soft"], low_salt: ["低盐", "Low salt"], low_sugar: ["低糖", "Low sugar"],
  small: ["小份", "Small"], vegetarian: ["素", "Vegetarian"], peanut: ["含花生", "Peanut"],
  egg: ["含蛋", "Egg"], milk: ["含奶", "Milk"], seafood: ["含海鲜", "Seafood"], gluten: ["含麸质", "Gluten"],
};
const FUNDERS = {
  city: ["市级", "city"], district: ["区级", "district"], street: ["街道（镇）", "street"],
};

export const words = (pair) => say(pair[0], pair[1]);
export const told = (text) => (text ? say(text.zh ?? "", text.en ?? text.zh ?? "") : "");
export const named = (one) => say(one.name, one.name_en || one.name);
export const list = (some) => some.join(say("、", ", "));

export function money(fen) {
  const sign = fen < 0 ? "−" : "";
  return sign + (Math.abs(fen) / 100).toFixed(2).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

export const yuan = () => say("元", "yuan");

export function icon(name) {
  return h("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true", focusable: "false" }, h("path", { d: PATHS[name] }));
}

// kind: none, primary, stop, stop-sure, quiet; more: any attribute.
export function button(label, onclick, { kind, mark, wide, small, ...more } = {}) {
  const names = ["button", kind && `button-${kind}`, wide && "button-wide", small && "button-small", more.class];
  return h("button", { type: "button", ...more, class: names.filter(Boolean).join(" "), onclick }, mark && icon(mark), h("span", null, label));
}

export function notice(kind, text, { title, acts, role } = {}) {
  const mark = { info: "info", done: "check", look: "alert", no: "cross" }[kind];
  return h(
    "div", { class: `notice notice-${kind}`, role },
    icon(mark),
    h("div", { class: "notice-body" }, title && h("p", { class: "notice-title" }, title), text && h("p", null, text), acts && h("div", { class: "notice-acts" }, acts)),
  );
}

export function tag(label, kind, mark) {
  return h("span", { class: `tag tag-${kind}` }, mark && icon(mark), label);
}

// choices: [[value, label]]; one of them is pressed.
export function segments(label, choices, value, pick, { wide, id = "" } = {}) {
  return h(
    "div", { class: `segments${wide ? " segments-wide" : ""}`, role: "group", "aria-label": label },
    choices.map(([code, name]) =>
      h("button", { type: "button", class: "segment", id: `${id}${code}`, "aria-pressed": String(code === value), onclick: () => pick(code) }, name)),
  );
}

// A question or a panel over the page; Escape and the cross close it.
export function sheet(app, title, body, { id, wide, close = () => app.set({ dialog: null }) } = {}) {
  const shut = (event) => {
    event.preventDefault();
    close();
  };
  return h(
    "dialog", { key: id ?? title, id, class: `sheet${wide ? " sheet-wide" : ""}`, modal: true, oncancel: shut, "aria-label": title },
    h("div", { class: "dialog-head" }, h("h2", null, title),
      h("button", { type: "button", class: "button button-quiet dialog-close", "aria-label": say("关闭", "Close"), onclick: shut }, icon("cross"))),
    h("div", { class: "dialog-body" }, body),
  );
}

function part(kind, label, fen, payer, sign, signWord, unit) {
  const none = !fen && (kind === "discount" || kind === "subsidy");
  return h(
    "li", { class: `price-part price-${kind}${none ? " price-none" : ""}` },
    h("span", { class: "price-sign" }, sign && [h("span", { "aria-hidden": "true" }, sign), h("span", { class: "visually-hidden" }, signWord)]),
    h("span", { class: "price-label" }, label),
    h("span", { class: "price-sum" }, h("span", { class: "price-digits" }, money(fen)), unit && h("span", { class: "unit" }, yuan())),
    payer && h("span", { class: "price-payer" }, payer),
  );
}

function payers(shares) {
  const sides = new Map();
  for (const share of shares ?? []) {
    if (share.side !== "elder") continue;
    const fen = share.amount_fen ?? share.fen ?? 0;
    if (fen) sides.set(share.funder, (sides.get(share.funder) ?? 0) + fen);
  }
  return [...sides].map(([who, fen]) =>
    h("span", { class: "nowrap" }, FUNDERS[who] ? words(FUNDERS[who]) : who, sides.size > 1 ? ` ${money(fen)}` : ""));
}

// List price − the canteen's discount − subsidy = what is to pay, with who bears what, and why.
export function priceStrip(quote, reason, { you } = {}) {
  return h(
    "div", { class: "price-strip" },
    h(
      "ol", { class: "price-parts", "aria-live": "polite", "aria-atomic": "true" },
      part("list", say("标价", "Price"), quote.list_fen),
      part("discount", say("食堂优惠", "Discount"), quote.discount_fen, quote.discount_fen ? say("食堂承担", "the canteen") : "", "−", say("减", "minus")),
      part("subsidy", say("政府补贴", "Subsidy"), quote.subsidy_fen, quote.subsidy_fen ? payers(quote.shares) : "", "−", say("减", "minus")),
      part("pay", you ?? say("食客付", "Diner pays"), quote.payable_fen, "", "=", say("等于", "equals"), true),
    ),
    reason && h("p", { class: "price-why" }, reason),
  );
}

// Filled: used. Hollow: left. The ring: today's. The words say the same.
export function weekDots(used, cap, on, todayUsed) {
  if (!cap) return null;
  const left = Math.max(cap - used, 0);
  const ring = todayUsed ? used : used + 1;
  const wide = cap * 26 + 2;
  const dots = [];
  for (let n = 1; n <= cap; n += 1) {
    dots.push(h("circle", { class: `week-dot${n <= used ? " week-dot-used" : ""}`, cx: n * 26 - 12, cy: 14, r: 7.5 }));
    if (n === ring) dots.push(h("circle", { class: "week-ring", cx: n * 26 - 12, cy: 14, r: 11.6 }));
  }
  const again = dayWords(nextMonday(on));
  const more = !left
    ? say(`${again}起可以再用`, `Again from ${again}`)
    : todayUsed
      ? isSunday(on) ? say("今天已用，明天是新的一周", "Today's is used; tomorrow starts a new week") : say("今天已用，明天可以再用", "Today's is used; the next from tomorrow")
      : say(`还有 ${left} 次`, `${left} left`);
  return h(
    "div", { class: `week-dots${left ? "" : " week-dots-full"}` },
    h("svg", { viewBox: `0 0 ${wide} 28`, width: wide, height: 28, "aria-hidden": "true", focusable: "false" }, dots),
    h("span", { class: "week-words" }, h("strong", null, say(`本周 ${used}/${cap}`, `This week ${used}/${cap}`)), " ", h("span", null, more)),
  );
}
