// Cash into the drawer or out of it that no diner paid, and the way to the end of the shift.
import { say } from "../../words.js";
import { fenOf } from "../basket.js";
import { h } from "../dom.js";
import { button, money, notice, segments, told, yuan } from "../parts.js";
import { pad } from "../pad.js";
import { clock } from "../shanghai.js";

const KINDS = () => [
  ["change_in", say("补零钱", "Change brought in"), 1],
  ["to_safe", say("存入保险柜", "Taken to the safe"), -1],
  ["purchase", say("临时采购", "A purchase"), -1],
  ["other", say("其他", "Other"), 0],
];

export function cashScreen(app) {
  const { sum = "", code = "", sign = 1, reason = "" } = app.form;
  const { shift } = app.station.state;
  const put = (changes) => app.set({ form: { ...app.form, ...changes }, problem: null });
  const kind = KINDS().find(([one]) => one === code);
  const way = kind ? kind[2] || sign : 0;
  const fen = fenOf(sum);
  const needsWords = code === "other" || code === "purchase";
  const ready = fen > 0 && way && (!needsWords || reason.trim());
  const record = async (event) => {
    event.preventDefault();
    if (!ready || !(await app.act(() => app.station.move(way * fen, code, reason.trim())))) return;
    app.form = {};
    app.say(way > 0 ? say(`放入 ${money(fen)} 元，已记下`, `${money(fen)} in; recorded`) : say(`取出 ${money(fen)} 元，已记下`, `${money(fen)} out; recorded`), null);
  };
  return h("form", { class: "till-narrow door", onsubmit: record },
    h("section", { class: "door-words" },
      h("div", { class: "row-apart" }, h("h1", null, say("钱箱", "Drawer")), button(say("交班", "Close the shift"), () => app.go("close"), { mark: "clock", id: "go-close-drawer" })),
      shift && h("p", { class: "quiet" }, say(`第 ${shift.number} 班，${clock(shift.opened_at)} 开，备用金 ${money(shift.float_fen)} 元`, `Shift ${shift.number}, opened ${clock(shift.opened_at)} with ${money(shift.float_fen)}`)),
      app.problem && notice("no", told(app.problem), { role: "alert" }),
      h("div", { class: "kinds", role: "group", "aria-label": say("做什么", "What") }, KINDS().map(([one, label, to]) =>
        h("button", { type: "button", class: "kind", id: `kind-${one}`, "aria-pressed": String(one === code), onclick: () => put({ code: one, sign: to || 1 }) },
          h("strong", null, label), h("span", { class: "small" }, to > 0 ? say("放入", "in") : to < 0 ? say("取出", "out") : say("放入或取出", "in or out"))))),
      code === "other" && segments(say("放入或取出", "In or out"), [["1", say("放入", "In")], ["-1", say("取出", "Out")]], String(sign), (value) => put({ sign: Number(value) }), { wide: true, id: "sign-" }),
      h("div", { class: "field" }, h("label", { class: "field-label", for: "move-sum" }, say("多少", "How much")),
        h("div", { class: "field-with-unit" }, h("input", { class: "input sum-input", id: "move-sum", value: sum, inputmode: "none", maxlength: 9, autocomplete: "off", oninput: (event) => put({ sum: event.target.value }) }), h("span", { class: "quiet" }, yuan()))),
      h("div", { class: "field" }, h("label", { class: "field-label", for: "move-reason" }, say("说明", "Note"), " ", !needsWords && h("span", { class: "field-optional" }, say("可不填", "optional"))),
        h("input", { class: "input", id: "move-reason", value: reason, maxlength: 200, autocomplete: "off", oninput: (event) => put({ reason: event.target.value }) })),
      h("button", { class: "button button-primary button-wide", id: "move", disabled: !ready || app.busy }, !kind ? say("先选做什么", "Choose what it is") : fen > 0 && !ready ? say("请写说明", "Say what for") : way > 0 ? say("记下放入", "Record: in") : say("记下取出", "Record: out"))),
    pad(sum, (typed) => put({ sum: typed }), { sums: true, most: 8 }));
}
