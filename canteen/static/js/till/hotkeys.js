// Every key the till knows. A scanner is heard first, wherever the focus is.
import { say } from "../words.js";
import { help } from "./screens/help.js";
import { listen } from "./scanner.js";

const PAYMENTS = ["cash", "online", "mixed"];

export function hear(app) {
  const scanner = listen({
    scanned: (text) => onSale(app) && app.find(text, true),
    digit: (figure) => onSale(app) && figureKey(app, figure),
  });

  document.addEventListener("keydown", (event) => {
    if (onSale(app) && scanner(event)) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const act = keys(app)[event.key];
    if (act && act(event) !== false) {
      event.preventDefault();
      return;
    }
    letter(app, event);
  }, true);

  // After a finger or a mouse the focus goes back to the page, so that Enter means “take the money”.
  document.addEventListener("click", (event) => {
    const at = document.activeElement;
    if (event.detail > 0 && at?.matches("button, a") && !at.closest("dialog") && app.view === "sale") at.blur();
  });
}

function onSale(app) {
  const { state } = app.station;
  return state.unlocked && state.shift && app.view === "sale" && !app.dialog;
}

function typing(event) {
  return event.target.matches?.("input, textarea, select");
}

function figureKey(app, figure) {
  if (app.found?.length) {
    const one = app.found[figure - 1];
    if (one) app.identify(one, "name");
    return;
  }
  const item = app.items()[figure ? figure - 1 : 9];
  document.documentElement.classList.add("keys");
  if (item) app.tap(item.item_id);
}

function keys(app) {
  const sale = onSale(app);
  const common = {
    F1: () => app.set({ dialog: app.dialog ? null : help }),
    "?": (event) => !typing(event) && app.set({ dialog: help }),
  };
  if (!sale) return common;
  return {
    ...common,
    "/": (event) => (typing(event) ? false : toFind()),
    F2: toFind,
    F3: () => turn(app.menus().map((menu) => menu.meal), app.basket.meal, (meal) => app.change({ ...app.clean(), meal })),
    F4: () => app.other(),
    F6: () => turn(app.services(), app.basket.service, (service) => app.change({ ...app.basket, service })),
    F8: () => turn(PAYMENTS, app.basket.payment, (payment) => app.change({ ...app.basket, payment })),
    F9: () => document.getElementById("received")?.focus(),
    Escape: () => escape(app),
    Enter: (event) => enter(app, event),
    Backspace: (event) => (typing(event) ? false : lastLine(app, -1)),
    "+": (event) => (typing(event) ? false : lastLine(app, 1)),
    "-": (event) => (typing(event) ? false : lastLine(app, -1)),
  };
}

function toFind() {
  const field = document.getElementById("find");
  field?.focus();
  field?.select();
}

function turn(all, now, pick) {
  if (all.length > 1) pick(all[(all.indexOf(now) + 1) % all.length]);
}

function lastLine(app, many) {
  const last = [...app.basket.lines.keys()].at(-1);
  if (last !== undefined) app.tap(last, many);
}

// Escape takes back one thing at a time: what was looked for, then the last sale's end, then all.
function escape(app) {
  if (document.activeElement?.matches("input")) document.activeElement.blur();
  if (app.typed || app.found || app.problem) app.set({ typed: "", found: null, problem: null });
  else if (app.done !== null) app.set({ done: null });
  else app.clear();
}

function enter(app, event) {
  const at = event.target;
  if (at.id === "find") {
    app.find(at.value);
    at.blur();
    return true;
  }
  // Walking by Tab, Enter presses what has the focus.
  if (at.matches?.("button, a, select, textarea, summary")) return false;
  if (at.matches?.("input")) at.blur();
  if (app.done !== null) app.set({ done: null });
  else app.sell();
  return true;
}

// Letters begin a search by initials from anywhere.
function letter(app, event) {
  if (!onSale(app) || typing(event) || !/^[a-zA-Z\u4e00-\u9fff]$/.test(event.key)) return;
  document.getElementById("find")?.focus();
}

export const KEYS = () => [
  [say("扫描枪", "Scanner"), say("随时可扫，不用先点哪里", "at any time, wherever the focus is")],
  ["/  F2", say("找人：卡号、证件号后几位、手机、姓名、首字母", "find: card, last digits, phone, name, initials")],
  ["a–z", say("直接输入拼音首字母", "initials straight away")],
  ["1–9  0", say("第 1–10 道菜加一份；有几位可选时选人", "add dish 1–10; or choose among those found")],
  ["+  −", say("最后一道菜加、减一份", "one more, one less of the last dish")],
  ["F4", say("其他食客", "another diner, no card")],
  ["F3  F6", say("换餐次，堂食或自取", "other meal; eat in or take away")],
  ["F8", say("现金、扫码、混合", "cash, scan, both")],
  ["F9", say("输入收到的现金", "type the cash received")],
  ["Enter", say("收款；收款后到下一位", "take the money; then the next diner")],
  ["Esc", say("退一步，再按清空", "one step back, then clear")],
  ["Tab", say("逐个走到每个按钮", "walk to every control")],
];
