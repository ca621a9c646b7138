// Who is at the till: a name, then six figures.
import { say } from "../../words.js";
import { h } from "../dom.js";
import { button, icon, notice, told } from "../parts.js";
import { pad } from "../pad.js";

const LENGTH = 6;
const ROLES = { cashier: ["收银员", "cashier"], manager: ["经理", "manager"] };

export function whoScreen(app) {
  const { user, cashiers, pin = "" } = app.form;
  if (!cashiers) fetchCashiers(app);
  return h("div", { class: "till-narrow door" }, h("section", { class: "door-words" },
    h("h1", null, user ? say(`${user.name}，请输入 PIN 码`, `${user.name}, your PIN`) : say("谁来收银？", "Who is at the till?")),
    app.problem && notice("no", told(app.problem), { role: "alert" }),
    !app.station.state.online && notice("look", say("现在没有网络。在这台收银机上登录过的人，用 PIN 码仍可打开。", "No network. Whoever has signed in here before can still open the till by PIN.")),
    user ? dots(pin.length, app.busy) : tiles(app, cashiers)),
  user
    ? h("section", { class: "door-pad" }, pad(pin, (typed) => enter(app, typed), { most: LENGTH, label: "PIN" }),
        button(say("换一个人", "Someone else"), () => app.set({ form: { cashiers }, problem: null }), { mark: "back", wide: true, id: "someone-else" }),
        h("input", { class: "visually-hidden", id: "pin", type: "password", inputmode: "none", autocomplete: "off", "aria-label": say("6 位 PIN 码", "PIN of six figures"), value: pin, maxlength: LENGTH, focus: true,
          oninput: (event) => enter(app, event.target.value.replace(/\D/g, "")) }))
    : h("section", { class: "door-pad door-aside" }, h("p", { class: "quiet" }, say("没有您的名字？请经理在“收银机”页面为您设 PIN 码。", "Your name is missing? The manager sets your PIN on the page “Tills”.")),
        app.station.state.online && !app.station.state.practice && h("a", { class: "button button-wide", href: "/till/tills" }, say("经理页面", "The manager's page")),
        app.station.state.practice ? null : button(say("练习", "Practise"), () => app.practise(true), { wide: true, id: "practise" })));
}

function tiles(app, cashiers) {
  if (!cashiers) return h("p", { class: "quiet", role: "status" }, say("正在读名单…", "Reading the names…"));
  if (!cashiers.length) return notice("look", say("还没有人能在这台收银机登录。请先连上网络。", "Nobody can sign in here yet. Connect to the network first."));
  return h("div", { class: "who-tiles" }, cashiers.map((one) =>
    h("button", { type: "button", class: "who-tile", id: `cashier-${one.id}`, disabled: one.has_pin === false,
      onclick: () => app.set({ form: { cashiers, user: one, pin: "" }, problem: null }) },
    icon("person"), h("span", { class: "who-tile-name" }, one.name),
    h("span", { class: "small quiet" }, one.has_pin === false ? say("还没有 PIN 码", "no PIN yet") : ROLES[one.role] ? say(...ROLES[one.role]) : ""))));
}

function dots(many, busy) {
  return h("p", { class: `pin-dots${busy ? " pin-busy" : ""}`, role: "status", "aria-label": say(`已输入 ${many} 位`, `${many} figures`) },
    Array.from({ length: LENGTH }, (_, at) => h("span", { class: at < many ? "pin-dot pin-dot-in" : "pin-dot" })));
}

async function enter(app, pin) {
  if (app.busy) return;
  const { user, cashiers } = app.form;
  app.set({ form: { user, cashiers, pin: pin.slice(0, LENGTH) }, problem: null });
  if (pin.length < LENGTH) return;
  const done = await app.act(() => app.station.unlock(user.id, pin));
  if (done) {
    app.basket = app.clean();
    app.set({ form: {}, view: "sale", done: null, problem: null, toast: null });
    await app.changed();
  } else {
    app.set({ form: { user, cashiers, pin: "" } });
  }
}

// Read once for each time the screen is entered; a practice till gives its own.
async function fetchCashiers(app) {
  if (app.form.asking) return;
  app.form.asking = true;
  const { station } = app;
  let cashiers = [];
  try {
    cashiers = await station.cashiers();
  } catch (fault) {
    app.problem = fault.text ?? null;
  }
  if (station === app.station && !app.form.user) app.set({ form: { cashiers } });
}
