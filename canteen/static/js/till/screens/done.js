// The end of a sale: the change in figures nobody misreads, or the code to pay by; then the next.
import { say } from "../../words.js";
import { h, own } from "../dom.js";
import { button, icon, money, notice, told, yuan } from "../parts.js";
import { leftThisWeek } from "../sales.js";
import { receiptSheet } from "./receipt_sheet.js";

// Looks like a code and is none: nobody can pay it.
const PRACTICE_CODE = "M4 4h7v7h-7zM18 4h7v7h-7zM4 18h7v7h-7zM13 5h2v3h-2zM13 10h3v2h-3zM5 13h3v3h-3zM10 14h4v2h-4zM18 13h2v4h-2zM22 14h3v2h-3zM14 18h3v3h-3zM19 20h4v2h-4zM13 23h2v2h-2zM22 23h3v2h-3z";
const CODES = new Map(); // order → {node} or {fault}: drawn once

export function endPart(app, sale) {
  const state = sale.state;
  const fresh = state === "awaiting" ? waiting(app, sale) : state === "refused" ? refused(sale) : paid(app, sale, state);
  return [
    h("p", { class: "end-who", key: "who" }, h("strong", null, sale.elder ? sale.elder.name : say("其他食客", "Other diner")), h("span", { class: "quiet" }, say(`第 ${sale.number} 号`, `No. ${sale.number}`))),
    h("div", { class: `end end-is-${state}`, key: `end-${sale.number}` }, fresh),
    h("div", { class: "sale-end", key: "acts" },
      h("div", { class: "end-acts" }, button(say("小票", "Receipt"), () => app.set({ dialog: receiptSheet(sale) }), { mark: "list", id: "receipt" }),
        state === "awaiting" && button(say("改收现金", "Take cash instead"), () => cashInstead(app, sale), { kind: "stop", id: "cash-instead" })),
      h("div", { class: "sale-acts" }, button(say("下一位", "Next diner"), () => next(app), { kind: "primary", mark: "right", class: "sale-go", id: "next-diner" }))),
  ];
}

// On a narrow screen the end lies below the dishes, the field for the next diner above them.
function next(app) {
  app.set({ done: null });
  scrollTo({ top: 0 });
}

function paid(app, sale, state) {
  const back = (sale.received_fen ?? sale.cash_fen) - sale.cash_fen;
  return [
    h("p", { class: "end-done" }, icon("check"), h("span", null, state === "voided" ? say("已作废", "Voided") : say("已收款，出餐", "Paid; serve"))),
    back > 0
      ? h("p", { class: "end-change", id: "change" }, h("span", null, say(`收到 ${money(sale.received_fen)}，找零`, `Received ${money(sale.received_fen)}, change`)), h("strong", null, money(back), h("span", { class: "unit" }, yuan())))
      : h("p", { class: "end-change end-exact" }, h("span", null, sale.payment === "online" || sale.cash_fen < sale.parts.payable_fen ? say("已到账", "Arrived") : say("收", "Took")), h("strong", null, money(sale.parts.payable_fen), h("span", { class: "unit" }, yuan()))),
    sale.parts.subsidy_fen > 0 && h("p", { class: "end-subsidy" }, [say(`补贴已减 ${money(sale.parts.subsidy_fen)}`, `Subsidy of ${money(sale.parts.subsidy_fen)} taken off`), week(sale)].filter(Boolean).join(say("，", "; "))),
    state === "kept" && h("p", { class: "offline-note small" }, icon("cut"), h("span", null, say("已记在本机，联网后自动上传", "Kept on this till; sent by itself when connected"))),
    excess(sale),
  ];
}

function week(sale) {
  const left = leftThisWeek(sale.quote);
  return left === null ? "" : left ? say(`本周还有 ${left} 次`, `${left} left this week`) : say("本周次数已用完", "none left this week");
}

function refused(sale) {
  return notice("no", sale.text ? told(sale.text) : say("这一笔没有成交，没有收钱。", "This was not sold; take no money."), { role: "alert" });
}

// Who bears a subsidy the caps did not allow any more, said plainly.
export function excess(sale) {
  const fen = sale.parts.excess_fen ?? 0;
  const notes = sale.notes ?? [];
  if (sale.bearer === "canteen" && fen > 0) return notice("look", say(`离线时多给的 ${money(fen)} 元由食堂承担`, `${money(fen)} yuan given beyond the caps while offline are borne by the canteen`));
  if (sale.bearer === "programme") return notice("info", say("离线时次数已用完，这一餐由补贴资金承担", "The caps were used up while offline; the programme bears this meal"));
  if (notes.includes("subsidy_to_account")) return notice("info", say("补贴会打到老人账户", "The subsidy follows to the elder's account"));
  return null;
}

function waiting(app, sale) {
  const online = sale.parts.payable_fen - sale.cash_fen;
  const code = CODES.get(sale.order_id);
  if (!code && sale.order_id) drawCode(app, sale);
  return [
    h("p", { class: "end-scan" }, h("span", null, say("请食客扫码付", "The diner scans to pay")), h("strong", null, money(online), h("span", { class: "unit" }, yuan()))),
    sale.cash_fen > 0 && h("p", null, say(`另收现金 ${money(sale.cash_fen)}`, `plus ${money(sale.cash_fen)} in cash`)),
    code?.node ? h("div", { class: "pay-code" }, own(code.node, "code")) : code?.fault
      ? [notice("look", told(code.fault), { role: "alert" }), button(say("再试一次", "Try again"), () => {
          CODES.delete(sale.order_id);
          app.render();
        }, { wide: true, id: "again" })]
      : h("p", { class: "quiet pay-code pay-code-none" }, say("正在取二维码…", "Fetching the code…")),
    h("p", { class: "pay-state", role: "status" }, icon("clock"), h("span", null, say("等待付款，到账后自己会变；可以先接待下一位", "Waiting; this changes by itself. Serve the next diner meanwhile"))),
    !app.station.state.practice && app.station.state.online && h("a", { class: "button button-wide", href: `/till/orders/${sale.order_id}/payment` }, say("付款页面", "The payment's page")),
    app.station.pretendPaid && button(say("演示：食客已付款", "Demo: the diner has paid"), () => app.act(() => app.station.pretendPaid(sale.order_id)), { wide: true, id: "pretend" }),
  ];
}

const DOWN = {
  zh: "支付平台暂时没有回应，没有扣款。再试一次，或改收现金",
  en: "The payment provider does not answer; nothing was charged. Try again, or take cash",
};

async function codeOf(station, sale) {
  if (station.paymentCode) return station.paymentCode(sale.order_id);
  if (station.state.practice) return { svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 29 29"><path d="${PRACTICE_CODE}" fill="#000"/></svg>` };
  const address = `/till/orders/${sale.order_id}/payment`;
  const first = await station.network.get(`${address}/code`);
  if (first.svg || first.state !== "pending") return first;
  await station.network.send("POST", address, {}); // not begun yet: begin it now
  return station.network.get(`${address}/code`);
}

async function drawCode(app, sale) {
  CODES.set(sale.order_id, {});
  try {
    const { svg } = await codeOf(app.station, sale);
    if (!svg) throw new Error("none yet");
    const drawn = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    if (drawn.localName !== "svg") throw new Error("no drawing");
    const node = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    node.setAttribute("viewBox", drawn.getAttribute("viewBox"));
    node.setAttribute("class", "qr");
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", say("付款二维码", "Code to pay"));
    for (const path of drawn.querySelectorAll("path")) {
      const copy = document.createElementNS("http://www.w3.org/2000/svg", "path");
      for (const name of ["d", "stroke", "fill", "transform"]) if (path.hasAttribute(name)) copy.setAttribute(name, path.getAttribute(name));
      node.append(copy);
    }
    CODES.set(sale.order_id, { node });
  } catch (fault) {
    CODES.set(sale.order_id, { fault: fault.text ?? DOWN });
  }
  app.render();
}

// The payment that never came is taken back; the same dishes are paid in cash.
async function cashInstead(app, sale) {
  if (!(await app.act(() => app.station.voidSale(sale.number, "mistake", say("改收现金", "cash instead"))))) return;
  const elder = sale.elder ? (app.usual.find((one) => one.id === sale.elder.id) ?? sale.elder_facts ?? null) : null;
  const lines = new Map(sale.lines.map((one) => [one.item_id, one.quantity]));
  const basket = { ...app.clean(), meal: sale.meal, service: sale.service, lines, payment: "cash" };
  app.hidden.add(sale.number);
  app.change(elder ? { ...basket, elder, how: "list" } : { ...basket, other: !sale.elder, how: "other" });
  if (sale.elder && !elder) app.find(sale.elder.name);
}
