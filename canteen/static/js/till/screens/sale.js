// The sale: the diner on the left, dishes in the middle, the order and its price on the right.
import { say } from "../../words.js";
import { h } from "../dom.js";
import { MARKS, MEALS, SERVICES, icon, money, named, notice, segments, words } from "../parts.js";
import { ALLERGENS } from "../basket.js";
import { dayWords, today } from "../shanghai.js";
import { endPart } from "./done.js";
import { diner } from "./diner.js";
import { order } from "./order.js";

const FEW = 5;

export function saleScreen(app) {
  if (!app.menus().length) return noMenu(app);
  return [stopped(app), h("div", { key: "sale", class: "sale" },
    h("h1", { class: "visually-hidden" }, say("收银", "Till")),
    h("section", { key: "who", class: "sale-who", "aria-label": say("食客", "Diner") }, diner(app)),
    h("section", { key: "dishes", class: "sale-dishes", "aria-label": say("菜品", "Dishes") }, tabs(app), tiles(app)),
    h("section", { key: "order", class: "sale-order", "aria-label": say("这一单", "This order") }, app.done !== null && app.sale(app.done) ? endPart(app, app.sale(app.done)) : order(app)))];
}

// A canteen that may not sell: since when, why, and whom to ask.
function stopped(app) {
  const { stopped: stop } = app.station.pack.canteen;
  if (!stop) return null;
  const day = dayWords(stop.since);
  return h("div", { key: "stopped", class: "till-stopped" }, notice("no",
    [say(`从${day}起不能收银，没有补贴。`, `No sales and no subsidy since ${day}. `), stop.reason && say(`原因：${stop.reason.replace(/[。.]$/, "")}。`, `Reason: ${stop.reason.replace(/[。.]$/, "")}. `), say("请告诉经理；以前的订单还可以退款。", "Please tell the manager; earlier orders can still be refunded.")].filter(Boolean).join(""),
    { title: say("本食堂现在不能收银", "This canteen may not sell now"), role: "alert" }));
}

function tabs(app) {
  const { basket } = app;
  const services = app.services();
  const meals = app.menus().map((menu) => [menu.meal, words(MEALS[menu.meal])]);
  return h("div", { class: "sale-tabs" },
    segments(say("哪一餐", "Which meal"), meals, basket.meal, (meal) => {
      app.change({ ...app.clean(), elder: basket.elder, other: basket.other, how: basket.how, card: basket.card, service: basket.service, meal });
      app.changed();
    }, { id: "meal-" }),
    services.length > 1 && segments(say("怎么吃", "How"), services.map((code) => [code, words(SERVICES[code])]), basket.service, (service) => app.change({ ...basket, service }), { id: "service-" }),
    outside(app),
    app.on !== today() && notice("look", say(`这是${dayWords(app.on)}的菜单`, `This is the menu of ${dayWords(app.on)}`)));
}

// Selling goes on, but nobody is to learn only from the checks that it was not the hour for it.
function outside(app) {
  const hours = app.outOfHours();
  if (!hours) return null;
  const meal = words(MEALS[app.basket.meal]);
  const span = `${hours.opens}–${hours.closes}`;
  return h("p", { class: "sale-outside small", key: "outside", id: "outside", role: "status" }, icon("clock"),
    h("span", null, say(`现在不是${meal}供餐时间（${span}），照卖会列入核查`, `Not the hours of ${meal.toLowerCase()} (${span}): sales now will be looked into`)));
}

function tiles(app) {
  return h("div", { class: "dishes", id: "dishes" }, app.items().map((item, at) => tile(app, item, at)));
}

function tile(app, item, at) {
  const left = app.left(item);
  const picked = app.basket.lines.get(item.item_id) ?? 0;
  const gone = left <= 0;
  const never = app.basket.elder ? (app.basket.elder.avoid ?? []).filter((mark) => item.marks.includes(mark)) : [];
  const names = ["dish", picked && "dish-picked", gone && "dish-gone", never.length && "dish-never"];
  return h("div", { class: names.filter(Boolean).join(" "), key: item.item_id },
    h("button", { type: "button", class: "dish-add", id: `add-${item.item_id}`, disabled: gone, onclick: () => app.tap(item.item_id) },
      h("span", { class: "dish-title" }, named(item)),
      item.marks.length > 0 && h("span", { class: "dish-signs" }, item.marks.map((mark) =>
        h("span", { class: `dish-sign${never.includes(mark) ? " dish-sign-no" : ALLERGENS.includes(mark) ? " dish-sign-look" : ""}` }, MARKS[mark] ? words(MARKS[mark]) : mark))),
      h("span", { class: "dish-fen" }, money(item.price_fen)),
      picked > 0 && h("span", { class: "tile-count" }, h("span", { class: "visually-hidden" }, say("已点 ", "in the order: ")), String(picked))),
    h("div", { class: "dish-foot" },
      h("span", { class: `tile-left${left <= FEW ? " tile-few" : ""}` }, at < 10 && h("kbd", { class: "dish-key", "aria-hidden": "true" }, String((at + 1) % 10)), gone ? say("已售完", "Sold out") : say(`剩 ${left}`, `${left} left`)),
      gone
        ? h("button", { type: "button", class: "dish-out dish-back", id: `back-${item.item_id}`, "aria-label": say(`“${named(item)}”又有了`, `“${named(item)}” is back on`), onclick: () => app.backOn(item) }, say("又有了", "Back on"))
        : h("button", { type: "button", class: "dish-out", id: `out-${item.item_id}`, "aria-label": say(`“${named(item)}”售完`, `Mark “${named(item)}” sold out`), onclick: () => app.soldOut(item) }, say("售完", "Out"))));
}

function noMenu(app) {
  const { state, pack } = app.station;
  const manager = state.user?.role === "manager";
  return h("div", { class: "till-narrow empty-till" },
    h("h1", null, say("今天还没有菜单", "There is no menu for today")),
    h("p", null, pack ? say("发布了今天的菜单就能收银，这里会自己出现。", "Publish today's menu and it appears here by itself.") : say("正在读今天的资料…", "Reading today's data…")),
    state.online && h("a", { class: "button button-primary", href: "/till/menus" }, manager ? say("去发布菜单", "Publish a menu") : say("看菜单", "See the menus")));
}
