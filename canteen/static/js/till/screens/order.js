// Right: the dishes taken, what they cost and why, how it is paid, and the one button.
import { say } from "../../words.js";
import * as baskets from "../basket.js";
import { h } from "../dom.js";
import { why } from "../engine/pricing.js";
import { MARKS, button, icon, list, money, named, notice, priceStrip, segments, sheet, told, words, yuan } from "../parts.js";
import { pad } from "../pad.js";

export function order(app) {
  const { basket, priced } = app;
  const clash = app.conflicts[0];
  return [
    app.problem && !app.found && h("div", { key: "problem" }, notice("no", told(app.problem), { role: "alert" })),
    basket.lines.size
      ? h("ul", { class: "basket", id: "basket", key: "basket" }, [...basket.lines].map(([id, many]) => line(app, id, many)))
      : h("p", { class: "basket-empty quiet", key: "nothing" }, baskets.chosen(basket) ? say("点左边的菜，加一份", "Tap a dish to add one") : say("先刷卡，或先点菜，都可以", "Scan a card or tap a dish, in any order")),
    h("div", { class: "sale-end", key: "end" },
      gentle(app),
      priced?.fault && notice("no", told(priced.fault), { role: "alert" }),
      asked(app),
      priced?.quote && priceStrip(priced.quote, basket.elder ? told(why(priced.quote)) : basket.card ? say("先付全款，联网后补贴打到账户", "Paid in full now; the subsidy follows to the account") : basket.other ? say("按原价，没有补贴", "List price, no subsidy") : say("识别食客后按补贴算", "The subsidy is worked out once the diner is known")),
      clash ? conflict(app, clash) : [
        priced?.quote?.payable_fen > 0 && paymentPart(app),
        h("div", { class: "sale-acts", key: "acts" },
          (basket.lines.size > 0 || baskets.chosen(basket)) && button(say("清空", "Clear"), () => app.clear(), { id: "clear" }),
          h("button", { type: "button", class: "button button-primary sale-go", id: "sell", disabled: Boolean(app.hindrance && app.hindrance !== "price"), "aria-busy": app.busy ? "true" : null, onclick: () => app.sell() }, icon("check"), h("span", null, goWords(app)))),
      ]),
  ];
}

function line(app, id, many) {
  const item = app.item(id);
  if (!item) return null;
  const short = app.left(item) < many;
  return h("li", { class: "basket-line", key: id },
    h("span", { class: "basket-name" }, named(item), short && h("span", { class: "tile-few" }, say(` 只剩 ${app.left(item)}`, ` only ${app.left(item)} left`)),
      app.basket.allowed.has(id) && h("span", { class: "diet-no small" }, icon("alert"), say("已确认忌口", "override noted"))),
    h("span", { class: "basket-sum" }, money(item.price_fen * many)),
    h("span", { class: "less-more" },
      h("button", { type: "button", class: "button", id: `less-${id}`, "aria-label": say(`少一份${named(item)}`, `One ${named(item)} less`), onclick: () => app.tap(id, -1) }, icon("minus")),
      h("span", { class: "less-more-count", "aria-live": "polite" }, String(many)),
      h("button", { type: "button", class: "button", id: `more-${id}`, "aria-label": say(`多一份${named(item)}`, `One ${named(item)} more`), onclick: () => app.tap(id) }, icon("plus"))));
}

function gentle(app) {
  const hints = baskets.gentle(app.basket, app.items());
  if (!hints.length) return null;
  const { item, wants } = hints[0];
  const marks = list(wants.map((mark) => (MARKS[mark] ? words(MARKS[mark]) : mark)));
  return h("p", { class: "gentle small", key: "gentle" }, icon("info"), h("span", null, say(`“${named(item)}”没有标${marks}`, `“${named(item)}” is not marked ${marks.toLowerCase()}`), hints.length > 1 ? say(`，另有 ${hints.length - 1} 道`, `, nor ${hints.length - 1} more`) : ""));
}

// What being offline changes for this very sale.
function asked(app) {
  const said = {
    within: say("离线：补贴按本机额度先给，联网后核对", "Offline: the subsidy is given from this till's allowance and checked later"),
    beyond: say("离线额度已用完：先付全款，补贴稍后打到账户", "Offline allowance used up: paid in full now, the subsidy follows to the account"),
  }[app.priced?.ask];
  const matters = app.priced?.ask === "beyond" || app.priced?.quote?.uses_quota;
  const cut = !app.station.state.online || app.priced?.ask === "beyond";
  return said && cut && matters && app.basket.elder ? h("p", { class: "offline-note small", key: "asked" }, icon("cut"), h("span", null, said)) : null;
}

function conflict(app, { item, marks }) {
  const said = list(marks.map((mark) => (MARKS[mark] ? words(MARKS[mark]) : mark)));
  return h("div", { class: "conflict", key: `conflict-${item.item_id}`, role: "alertdialog", "aria-label": say("忌口", "Allergy"), id: "conflict" },
    h("p", { class: "conflict-title" }, icon("alert"), h("span", null, say(`${app.basket.elder.name}不能吃`, `${app.basket.elder.name} must not have this`))),
    h("p", null, say(`“${named(item)}”${said}`, `“${named(item)}” contains ${said.toLowerCase()}`)),
    button(say(`仍然要“${named(item)}”`, `Serve “${named(item)}” anyway`), () => {
      const allowed = new Set(app.basket.allowed).add(item.item_id);
      app.change({ ...app.basket, allowed });
    }, { kind: "stop", wide: true, id: "override" }),
    button(say(`去掉“${named(item)}”`, `Take “${named(item)}” off`), () => app.tap(item.item_id, -baskets.MOST), { kind: "primary", wide: true, mark: "check", id: "take-off" }));
}

function paymentPart(app) {
  const { basket, priced } = app;
  const payable = priced.quote.payable_fen;
  const pay = baskets.paying(basket, payable);
  const kinds = [["cash", say("现金", "Cash")], ["online", say("扫码", "Scan")], ["mixed", say("混合", "Both")]];
  const offline = basket.payment !== "cash" && !app.station.state.online;
  return h("div", { class: "pay-part", key: "pay" },
    segments(say("怎么付", "How paid"), kinds, basket.payment, (payment) => app.change({ ...basket, payment }), { wide: true, id: "payment-" }),
    offline && h("p", { class: "offline-note small", role: "status" }, icon("cut"), h("span", null, say("现在没有网络，不能扫码，请收现金", "No network: no scanning now, please take cash"))),
    basket.payment === "cash" && cash(app, payable, pay),
    basket.payment === "mixed" && mixed(app, payable, pay));
}

function sumField(app, key, label, id) {
  return [
    h("label", { for: id }, label),
    h("input", { class: "input", id, value: app.basket[key], inputmode: "decimal", maxlength: 9, autocomplete: "off", oninput: (event) => {
      app.basket = { ...app.basket, [key]: event.target.value.trim() };
      if (app.priced) app.priced = { ...app.priced, for: app.basket };
      app.render();
    } }),
  ];
}

function padButton(app, key, label, id) {
  return h("button", { type: "button", class: "button sum-pad", id: `${id}-pad`, "aria-label": say("数字键盘", "Key pad"), onclick: () => app.set({ dialog: sumSheet(key, label) }) }, icon("keys"));
}

function sumSheet(key, label) {
  return (app) => sheet(app, label, [
    h("output", { class: "pad-shown pad-sum" }, app.basket[key] || "0", h("span", { class: "unit" }, yuan())),
    h("div", { class: "pad-row" },
      pad(app.basket[key], (typed) => app.change({ ...app.basket, [key]: typed }), { sums: true, most: 8 }),
      button(say("好", "Done"), () => app.set({ dialog: null }), { kind: "primary", mark: "check", id: "sum-done" })),
  ], { id: "sum-sheet" });
}

// Tapping banknotes adds them up: 20, then 20 again, is 40.
function cash(app, payable, pay) {
  const { basket } = app;
  const given = baskets.fenOf(basket.received);
  const label = say("收到", "Received");
  const take = (fen) => app.change({ ...basket, received: money((given ?? 0) + fen).replace(/[.]00$/, "").replace(",", "") });
  return [
    h("div", { class: "sum-row", key: "received-row" }, sumField(app, "received", label, "received"),
      h("output", { class: `cash-change${pay.short_fen ? " cash-short" : ""}`, id: "change", for: "received" },
        given !== null && [h("span", null, pay.short_fen ? say("还差", "Missing") : say("找零", "Change")), " ", h("strong", null, money(pay.short_fen || pay.back_fen))])),
    h("div", { class: "cash-notes", key: "notes", role: "group", "aria-label": say("收到的钞票", "Banknotes received") },
      h("button", { type: "button", class: "button", id: "received-exact", onclick: () => app.change({ ...basket, received: "" }) }, say("正好", "Exact")),
      baskets.NOTES_FEN.map((fen) => h("button", { type: "button", class: "button", id: `received-${fen}`, onclick: () => take(fen) }, String(fen / 100))),
      padButton(app, "received", label, "received")),
  ];
}

function mixed(app, payable, pay) {
  const label = say("其中现金", "In cash");
  return h("div", { class: "sum-row", key: "cash-row" }, sumField(app, "cash", label, "cash-part"), padButton(app, "cash", label, "cash-part"),
    h("output", { class: `cash-change${pay.fault ? " cash-short" : ""}`, for: "cash-part" },
      pay.fault && !basket.cash ? null : pay.fault ? h("span", { class: "small" }, say(`0–${money(payable)} 之间`, `0–${money(payable)}`)) : [h("span", null, say("扫码", "scan")), " ", h("strong", null, money(pay.online_fen))]));
}

function goWords(app) {
  const { basket, priced } = app;
  const reason = app.hindrance;
  if (app.busy) return say("正在记账…", "Recording…");
  if (reason === "dishes") return say("先点菜", "Choose dishes");
  if (reason === "who") return say("先识别食客", "Say who eats");
  if (reason === "price") return priced?.fault ? say("现在不能收", "Not possible now") : say("正在算价…", "Pricing…");
  const payable = priced.quote.payable_fen;
  const pay = baskets.paying(basket, payable);
  if (pay.fault === "short") return say(`还差 ${money(pay.short_fen)}`, `${money(pay.short_fen)} missing`);
  if (pay.fault) return basket.payment === "mixed" && !basket.cash ? say("先填现金部分", "Enter the cash part") : say("金额没有填对", "Check the sum");
  if (!payable) return say("不用付钱，出餐", "Nothing to pay; serve");
  if (pay.payment === "online") return say(`扫码收 ${money(pay.online_fen)} 元`, `Scan for ${money(pay.online_fen)}`);
  return say(`收 ${money(payable)} 元，出餐`, `Take ${money(payable)}`);
}
