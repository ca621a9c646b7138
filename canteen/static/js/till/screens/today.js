// What this till sold today, each with its state; a sale is taken back in two taps.
import { say } from "../../words.js";
import { h } from "../dom.js";
import { MEALS, button, icon, list, money, named, notice, tag, told, words, yuan } from "../parts.js";
import { clock } from "../shanghai.js";
import { excess } from "./done.js";
import { receiptSheet } from "./receipt_sheet.js";

const REASONS = () => [
  ["mistake", say("点错或收错", "Entered by mistake")],
  ["changed_mind", say("不想要了", "Changed their mind")],
  ["quality", say("餐品问题", "Problem with the meal")],
  ["sold_out", say("菜品售完", "Dish not available")],
];

export function todayScreen(app) {
  const sold = app.sales.filter((sale) => ["done", "kept", "awaiting"].includes(sale.state));
  const sum = (of) => sold.reduce((total, sale) => total + of(sale), 0);
  return h("div", { class: "till-wide" },
    h("div", { class: "today-head" },
      h("h1", null, say("今日本机", "Today, this till")),
      h("dl", { class: "today-sums" },
        figure(say("笔数", "Sales"), String(sold.length)),
        figure(say("应收", "To pay"), money(sum((sale) => sale.parts.payable_fen))),
        figure(say("补贴", "Subsidy"), money(sum((sale) => sale.parts.subsidy_fen))),
        figure(say("待上传", "To send"), String(app.station.state.waiting)))),
    app.problem && notice("no", told(app.problem), { role: "alert" }),
    app.sales.length ? h("ol", { class: "sold-list" }, app.sales.map((sale) => row(app, sale)))
      : h("div", { class: "empty-till" }, h("p", { class: "quiet" }, say("还没有卖出。", "Nothing sold yet.")), button(say("去收银", "Sell"), () => app.go("sale"), { kind: "primary" })));
}

function figure(label, value) {
  return h("div", null, h("dt", null, label), h("dd", null, value));
}

export function stateTag(app, sale) {
  return {
    done: () => tag(say("已上传", "Sent"), "go", "check"),
    kept: () => tag(say("待上传", "Waiting to be sent"), "look", "clock"),
    awaiting: () => tag(say("待付款", "Waiting for payment"), "look", "clock"),
    refused: () => tag(say("未成交", "Not sold"), "stop", "cross"),
    voided: () => tag(say("已作废", "Voided"), "quiet", "cross"),
  }[sale.state]?.();
}

function row(app, sale) {
  const asking = app.form.voiding === sale.number;
  const state = sale.state;
  const may = ["done", "kept", "awaiting"].includes(state);
  return h("li", { class: `sold sold-${state}`, key: sale.number, id: `sold-${sale.number}` },
    h("p", { class: "sold-when" }, h("strong", null, `#${sale.number}`), h("span", { class: "quiet" }, clock(sale.at)), h("span", { class: "quiet small" }, words(MEALS[sale.meal]))),
    h("div", { class: "sold-what" },
      h("p", { class: "strong" }, sale.elder ? sale.elder.name : say("其他食客", "Other diner")),
      h("p", { class: "small" }, list(sale.lines.map((one) => `${named(one)}${one.quantity > 1 ? ` × ${one.quantity}` : ""}`))),
      sale.state === "refused" && sale.text && h("p", { class: "small strong" }, told(sale.text))),
    h("div", { class: "sold-sum" }, h("strong", null, money(sale.parts.payable_fen), h("span", { class: "unit" }, yuan())),
      sale.parts.subsidy_fen > 0 && may && h("span", { class: "small sold-subsidy" }, say(`补贴 ${money(sale.parts.subsidy_fen)}`, `subsidy ${money(sale.parts.subsidy_fen)}`)), stateTag(app, sale)),
    h("div", { class: "sold-note" }, state !== "voided" ? excess(sale) : lapsed(sale)),
    h("div", { class: "sold-acts" },
      button(say("小票", "Receipt"), () => app.set({ dialog: receiptSheet(sale) }), { id: `receipt-${sale.number}` }),
      may && button(asking ? say("不作废", "Keep it") : say("作废", "Void"), () => app.set({ form: { voiding: asking ? null : sale.number }, problem: null }), { kind: asking ? "" : "stop", id: `void-${sale.number}`, "aria-expanded": String(asking) })),
    asking && h("div", { class: "void-reasons", role: "group", "aria-label": say(`第 ${sale.number} 号为什么作废`, `Why void number ${sale.number}`) },
      h("p", { class: "strong" }, icon("alert"), sale.cash_fen
        ? say(`点原因就作废，退现金 ${money(sale.cash_fen)} 元`, `Tap the reason to void; give back ${money(sale.cash_fen)} in cash`)
        : say("点原因就作废", "Tap the reason to void")),
      h("div", { class: "quick" }, REASONS().map(([code, label]) => button(label, () => voidIt(app, sale, code), { kind: "stop", id: `reason-${code}`, disabled: app.busy })))));
}

// Nobody paid the code in time: the notes and coins already taken go back.
function lapsed(sale) {
  if (sale.voided_in !== null || !sale.cash_fen) return null;
  return notice("look", say(`没有等到付款，已取消。请退现金 ${money(sale.cash_fen)} 元`, `Never paid; cancelled. Give back ${money(sale.cash_fen)} in cash`));
}

async function voidIt(app, sale, code) {
  if (!(await app.act(() => app.station.voidSale(sale.number, code, "")))) return;
  app.form = {};
  app.say(say(`第 ${sale.number} 号已作废`, `Number ${sale.number} is voided`) + (sale.cash_fen ? say(`，请退 ${money(sale.cash_fen)} 元`, `; give back ${money(sale.cash_fen)}`) : ""), null);
  await app.changed();
}
