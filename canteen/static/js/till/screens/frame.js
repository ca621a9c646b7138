// What stands around every screen: where one is, who sells, whether there is a network.
import { say } from "../../words.js";
import { h } from "../dom.js";
import { button, icon, notice, sheet, told } from "../parts.js";
import { clock } from "../shanghai.js";
import { cashScreen } from "./cash.js";
import { closeScreen } from "./close.js";
import { enrolScreen } from "./enrol.js";
import { help } from "./help.js";
import { openScreen } from "./open.js";
import { saleScreen } from "./sale.js";
import { todayScreen } from "./today.js";
import { whoScreen } from "./who.js";

const LINKS = (app) => [
  ["/till/orders", say("订单", "Orders"), app.station.state.toCollect],
  ["/till/kitchen", say("厨房", "Kitchen")],
  ["/till/shifts", say("班次", "Shifts")],
  ["/till/day", say("日结", "Day")],
  ["/till/menus", say("菜单", "Menus")],
];
const REST = (app) => app.station.state.user?.role === "manager"
  ? [["/till/tills", say("收银机", "Tills")]]
  : [["/till/pin", say("改 PIN 码", "Change PIN")]];

export function body(app) {
  const { state } = app.station;
  return [
    state.practice && practiceBand(app),
    topBar(app),
    state.alarm && h("div", { key: "alarm", class: "till-alarm" }, notice("no", told(state.alarm.text) || say("服务器发现本机的销售记录接不上，请经理到“收银机”页面核对。可以继续卖。", "The server found a break in this till's record; a manager should look at “Tills”. You may go on selling."), { role: "alert" })),
    h("main", { key: "main", id: "main", class: `till-main till-${screenName(app)}`, tabindex: "-1" }, screen(app)),
    app.toast && toast(app),
    app.dialog && app.dialog(app),
  ];
}

function screenName(app) {
  const { state } = app.station;
  if (!state.enrolled) return "enrol";
  if (state.withdrawn) return "withdrawn";
  if (!state.unlocked) return "who";
  if (!state.shift && app.view !== "today" && !app.form.closed) return "open";
  return app.view;
}

function screen(app) {
  const screens = {
    enrol: enrolScreen, withdrawn, who: whoScreen, open: openScreen, sale: saleScreen,
    today: todayScreen, cash: cashScreen, close: closeScreen,
  };
  return screens[screenName(app)](app);
}

function withdrawn(app) {
  const many = app.station.state.waiting;
  const kept = many
    ? say(`还没上传的 ${many} 笔留在本机，恢复后会接着上传。`, `What is not sent yet (${many}) stays on it and goes out when it is reinstated.`)
    : say("销售都已上传。", "All its sales are sent.");
  return h("div", { class: "till-narrow" },
    notice("no", say("经理已停用这台收银机。", "The manager has withdrawn this till. ") + kept, { title: say("这台收银机已停用", "This till is withdrawn"), role: "alert" }),
    app.station.state.online && h("a", { class: "button", href: "/till/tills" }, say("经理：去恢复", "Manager: reinstate it")));
}

function practiceBand(app) {
  const { station } = app;
  return h("div", { key: "practice", class: "practice-band", role: "status" },
    h("p", null, h("strong", null, say("练习", "Practice")), " ", h("span", null, say("都是假的人和菜，不记账，不上传", "made-up people and dishes; nothing is kept or sent"))),
    h("div", { class: "practice-acts" },
      station.setOnline && button(station.state.online ? say("断开网络", "Cut the network") : say("接上网络", "Connect again"), () => app.act(() => station.setOnline(!station.state.online)), { small: true, id: "practice-network" }),
      station.reset && button(say("重来", "Start anew"), () => app.act(() => station.reset()).then(() => app.begin(station)), { small: true, id: "practice-anew" }),
      app.real && button(say("结束练习", "End practice"), () => app.practise(false), { small: true, id: "end-practice" })));
}

function topBar(app) {
  const { state } = app.station;
  const open = state.unlocked && !state.withdrawn;
  const tab = (view, label, count) =>
    h("button", { type: "button", class: "till-tab", id: `tab-${view}`, "aria-current": app.view === view ? "page" : null, onclick: () => app.go(view) },
      label, count ? h("span", { class: "count" }, String(count)) : null);
  const waiting = app.sales.filter((sale) => sale.state === "awaiting").length;
  return h("header", { key: "bar", class: "till-bar" },
    h("a", { class: "till-brand", href: "/till", "aria-label": say("老人家食堂", "Canteen") }, h("img", { src: "/static/icon.svg", alt: "", width: 32, height: 32 }),
      !open && h("span", null, state.till ? say(state.till.canteen_name, state.till.canteen_name_en || state.till.canteen_name) : say("老人家食堂", "Canteen"))),
    open && h("nav", { class: "till-tabs", "aria-label": say("收银", "Till") },
      tab("sale", say("收银", "Sell")), tab("today", say("今日", "Today"), waiting), tab("cash", say("钱箱", "Drawer")),
      !state.practice && h("span", { class: "till-links" }, LINKS(app).map(([url, label, count]) => link(app, url, label, count)))),
    h("div", { class: "till-bar-end" },
      network(app),
      open && state.user && h("span", { class: "till-user" }, h("strong", null, state.user.name), state.shift ? h("span", { class: "quiet" }, say(`第 ${state.shift.number} 班`, `shift ${state.shift.number}`)) : null),
      open && button(say("锁", "Lock"), () => app.act(() => app.station.lock()).then(() => app.reset()), { mark: "lock", id: "lock", class: "till-lock", "aria-label": say("锁住收银机", "Lock the till") }),
      h("button", { type: "button", class: "button till-more", id: "more", "aria-label": say("更多", "More"), onclick: () => app.set({ dialog: more }) }, icon("list"))));
}

function link(app, url, label, count) {
  const off = !app.station.state.online;
  return h("a", { class: "till-tab", href: off ? null : url, "aria-disabled": off ? "true" : null, title: off ? say("要连上网络", "needs the network") : null }, label, count ? h("span", { class: "count" }, String(count)) : null);
}

export function network(app) {
  const { state } = app.station;
  const kept = state.waiting;
  const said = state.online ? say("在线", "Online") : say("离线", "Offline");
  return h("span", { class: `till-network${state.online ? "" : " till-offline"}`, id: "network", role: "status" },
    icon(state.online ? "network" : "cut"), h("strong", null, said),
    state.enrolled && h("span", { class: kept ? "till-waiting" : "quiet", id: "waiting" }, say(`待上传 ${kept}`, `${kept} to send`)));
}

function more(app) {
  const { state } = app.station;
  const other = document.documentElement.lang.startsWith("en") ? "zh" : "en";
  const then = (act) => () => {
    app.set({ dialog: null });
    act();
  };
  return sheet(app, say("更多", "More"), [
    state.unlocked && !state.practice && h("div", { class: "more-grid" }, [...LINKS(app), ...REST(app)].map(([url, label]) =>
      h("a", { class: "button", href: state.online ? url : null, "aria-disabled": state.online ? null : "true" }, label))),
    state.unlocked && !state.online && h("p", { class: "quiet small" }, say("这几页要连上网络才能看。", "These pages need the network.")),
    h("div", { class: "more-grid" },
      button(other === "en" ? "English" : "中文", () => app.speak(other), { id: "language", lang: other === "en" ? "en" : "zh-Hans-CN" }),
      button(say("按键", "Keys"), () => app.set({ dialog: help }), { mark: "help", id: "keys-help" }),
      state.unlocked && state.shift && button(say("交班", "Close shift"), then(() => app.go("close")), { mark: "clock", id: "go-close" }),
      state.practice
        ? button(say("结束练习", "End practice"), then(() => app.practise(false)))
        : button(say("练习", "Practice"), then(() => app.practise(true)), { id: "practise" })),
    h("p", { class: "quiet small" }, state.till ? `${state.till.name} · ${say(state.till.canteen_name, state.till.canteen_name_en || state.till.canteen_name)}` : "",
      state.packAt ? say(` · 资料更新于 ${clock(state.packAt)}`, ` · data of ${clock(state.packAt)}`) : ""),
  ], { id: "more-sheet" });
}

function toast(app) {
  const { words, undo } = app.toast;
  return h("div", { key: "toast", class: "toast", role: "status" }, h("span", null, words),
    undo && h("button", { type: "button", class: "button", id: "undo", onclick: () => {
      app.set({ toast: null });
      undo();
    } }, icon("back"), h("span", null, say("撤销", "Undo"))));
}
