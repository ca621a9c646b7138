// Left: who eats. A field that finds, those found, those usually here, and the one identified.
import { say } from "../../words.js";
import { h } from "../dom.js";
import { why } from "../engine/pricing.js";
import { MARKS, button, icon, list, money, notice, sheet, tag, told, weekDots, words } from "../parts.js";
import { pad } from "../pad.js";

export function diner(app) {
  const { basket } = app;
  const chosen = basket.elder || basket.other || basket.card;
  return [
    h("div", { class: "find-row", key: "find-row" },
      h("label", { class: "visually-hidden", for: "find" }, say("刷卡或输入", "Scan or type")),
      h("input", { class: "input", id: "find", type: "search", value: app.typed, placeholder: say("刷卡、姓名、号码", "Scan or type"), autocomplete: "off", autocapitalize: "off", spellcheck: "false", enterkeyhint: "search", maxlength: 40,
        oninput: (event) => app.set({ typed: event.target.value, found: null, problem: null }) }),
      app.typed
        ? h("button", { type: "button", class: "button find-go", id: "find-go", "aria-label": say("找", "Find"), onclick: () => app.find(app.typed) }, icon("search"))
        : h("button", { type: "button", class: "button find-go", id: "find-pad", "aria-label": say("数字键盘", "Key pad"), onclick: () => app.set({ dialog: numberSheet, form: {} }) }, icon("keys"))),
    app.station.state.session === false && app.station.state.online && notice("look", say("联网了，但登录已过期。锁屏后再输一次 PIN 码。", "Connected again, but signed out. Lock, then enter the PIN once more."), { acts: button(say("输入 PIN 码", "Enter the PIN"), () => app.act(() => app.station.lock()).then(() => app.reset()), { wide: true, id: "pin-again" }) }),
    app.finding && h("p", { key: "finding", class: "quiet", role: "status" }, say("正在找…", "Looking…")),
    app.found && found(app),
    basket.elder ? elderCard(app) : basket.card ? cardOnly(app) : basket.other ? otherCard(app) : null,
    !chosen && !app.found && usual(app),
    !chosen && h("button", { key: "other", type: "button", class: "button button-wide other-diner", id: "other", onclick: () => app.other() }, icon("person"), h("span", null, say("其他食客", "Other diner"), h("span", { class: "choice-note" }, say("上班族、孩子，按原价", "workers, children: list price")))),
    h("div", { class: "sale-who-end", key: "strips" }, strips(app)),
  ];
}

function numberSheet(app) {
  const { number = "" } = app.form;
  const go = () => {
    app.set({ dialog: null });
    app.find(number);
  };
  return sheet(app, say("输入号码", "Type a number"), [
    h("output", { class: "pad-shown" }, number || say("卡号、证件号后几位、手机", "card, last digits, phone")),
    h("div", { class: "pad-row" }, pad(number, (typed) => app.set({ form: { number: typed } })), button(say("找", "Find"), go, { kind: "primary", mark: "search", disabled: number.length < 2, id: "number-find" })),
  ], { id: "number-sheet" });
}

function found(app) {
  if (!app.found.length) {
    return h("div", { class: "found", key: "found" },
      notice("look", app.problem ? told(app.problem) : say(`没有找到“${app.looked}”`, `Nobody fits “${app.looked}”`), { role: "status" }),
      app.unknown && button(say("先付全款，补贴打到账户", "Pay in full, subsidy to the account"), () => app.card(app.unknown), { mark: "card", wide: true, id: "card-only" }));
  }
  return h("div", { class: "found", key: "found", role: "group", "aria-label": say("可能是", "May be") },
    h("p", { class: "quiet small", role: "status" }, say(`找到 ${app.found.length} 位，点一下选定`, `${app.found.length} found; tap the right one`)),
    app.found.map((one, at) => h("button", { type: "button", class: "found-one", id: `elder-${one.id}`, onclick: () => app.identify(one, "name") },
      h("span", { class: "found-name" }, h("kbd", { class: "dish-key", "aria-hidden": "true" }, String(at + 1)), one.name, " ", h("span", { class: "nowrap" }, say(`${one.age} 岁`, `aged ${one.age}`))),
      h("span", { class: "small" }, [one.last4 && say(`尾号 ${one.last4}`, `ID …${one.last4}`), one.street && told(one.street)].filter(Boolean).join(" · ")))));
}

function usual(app) {
  if (!app.usual.length) return null;
  return h("div", { class: "usual", key: "usual" },
    h("h2", { class: "usual-title" }, say("常来", "Usually here now")),
    h("div", { class: "usual-list" }, app.usual.slice(0, 24).map((one) =>
      h("button", { type: "button", class: "usual-one", key: one.id, id: `usual-${one.id}`, onclick: () => app.identify(one, "list") },
        h("span", { class: "usual-name" }, one.name), h("span", { class: "small quiet" }, say(`${one.age} 岁`, `aged ${one.age}`))))));
}

function elderCard(app) {
  const { elder, toAccount } = app.basket;
  const cap = app.station.pack?.policy?.body?.caps?.per_week;
  const counted = app.station.used?.(elder, app.basket.meal);
  const week = counted?.used_this_week ?? elder.used?.week ?? 0;
  const day = counted?.used_today ?? elder.used?.day ?? 0;
  const unfit = { deceased: say("登记为已去世", "registered as deceased"), moved: say("登记为已迁出", "registered as moved away"), in_institution: say("登记为入住机构", "registered in an institution") }[elder.facts?.status];
  const avoid = (elder.avoid ?? []).map((mark) => (MARKS[mark] ? words(MARKS[mark]) : mark));
  const wants = (elder.wants ?? []).map((mark) => (MARKS[mark] ? words(MARKS[mark]) : mark));
  return h("div", { class: "diner", id: "diner" },
    h("div", { class: "diner-head" },
      h("p", { class: "diner-name" }, elder.name, " ", h("span", { class: "diner-age" }, say(`${elder.age} 岁`, `aged ${elder.age}`))),
      h("button", { type: "button", class: "button button-quiet diner-off", id: "nobody", "aria-label": say("换一位", "Someone else"), onclick: () => app.nobody() }, icon("cross"))),
    (elder.last4 || elder.street) && h("p", { class: "small quiet" }, [elder.last4 && say(`尾号 ${elder.last4}`, `ID …${elder.last4}`), elder.street && told(elder.street)].filter(Boolean).join(" · ")),
    unfit && h("p", null, tag(unfit, "stop", "cross")),
    avoid.length > 0 && h("p", { class: "diet-no" }, icon("alert"), h("span", null, say(`忌口：${list(avoid.map((one) => one.replace(/^含/, "")))}`, `Must not have: ${list(avoid)}`))),
    elder.diet && h("p", { class: "diet" }, say(`饮食：${elder.diet}`, `Diet: ${elder.diet}`)),
    wants.length > 0 && h("p", { class: "small" }, say(`宜${list(wants)}`, `Better: ${list(wants).toLowerCase()}`)),
    app.standing && !app.standing.group && cap ? h("p", { class: "no-subsidy" }, icon("info"), h("span", null, h("strong", null, say("没有补贴：", "No subsidy: ")), told(why(app.standing))))
      : cap ? weekDots(week, cap, app.on, day > 0) : null,
    h("button", { type: "button", class: "toggle", id: "account", "aria-pressed": String(toAccount), onclick: () => app.change({ ...app.basket, toAccount: !toAccount }) },
      h("span", { class: "toggle-box" }, toAccount && icon("check")),
      h("span", null, say("先付全款，补贴打到账户", "Pay in full, subsidy to account"))));
}

function otherCard(app) {
  return h("div", { class: "diner diner-plain", id: "diner" },
    h("div", { class: "diner-head" }, h("p", { class: "diner-name" }, say("其他食客", "Other diner")),
      h("button", { type: "button", class: "button button-quiet diner-off", id: "nobody", "aria-label": say("有卡，重新识别", "Has a card after all"), onclick: () => app.nobody() }, icon("cross"))),
    h("p", { class: "small" }, say("不用卡，按原价，没有补贴", "No card; list price, no subsidy")));
}

function cardOnly(app) {
  return h("div", { class: "diner", id: "diner" },
    h("div", { class: "diner-head" }, h("p", { class: "diner-name" }, say(`卡 …${app.basket.card.slice(-4)}`, `Card …${app.basket.card.slice(-4)}`)),
      h("button", { type: "button", class: "button button-quiet diner-off", id: "nobody", "aria-label": say("换一位", "Someone else"), onclick: () => app.nobody() }, icon("cross"))),
    h("p", { class: "small" }, say("本机不认识这张卡：先付全款，联网后补贴打到账户", "Not known to this till: paid in full now; the subsidy follows to the account")));
}

// The last sale, and every payment that is still on its way, while the next diner is served.
function strips(app) {
  const waits = app.sales.filter((sale) => sale.state === "awaiting" && sale.number !== app.done);
  const last = app.sales.find((sale) => sale.number !== app.done && !waits.includes(sale) && !app.hidden.has(sale.number) && sale.state !== "voided");
  return [...waits, ...(last && app.done === null ? [last] : [])].slice(0, 4).map((sale) => strip(app, sale));
}

function strip(app, sale) {
  const state = sale.state;
  const back = (sale.received_fen ?? sale.cash_fen) - sale.cash_fen;
  const said = state === "awaiting"
    ? say(`待付 ${money(sale.parts.payable_fen - sale.cash_fen)}`, `waiting for ${money(sale.parts.payable_fen - sale.cash_fen)}`)
    : state === "refused" ? say("未成交", "not sold")
      : back > 0 ? say(`已收 ${money(sale.received_fen)} 找 ${money(back)}`, `got ${money(sale.received_fen)}, change ${money(back)}`)
        : say(`已收 ${money(sale.parts.payable_fen)}`, `paid ${money(sale.parts.payable_fen)}`);
  return h("button", { key: `strip-${sale.number}`, type: "button", class: `last-strip last-${state}`, id: `strip-${sale.number}`, onclick: () => app.set({ done: sale.number }) },
    icon(state === "awaiting" ? "clock" : state === "refused" ? "cross" : "check"),
    h("span", null, h("span", { class: "small quiet" }, state === "awaiting" ? say(`第 ${sale.number} 号 `, `No. ${sale.number}: `) : say("上一位 ", "Last: "), sale.elder ? sale.elder.name : say("其他食客", "other diner")), h("strong", null, said)));
}
