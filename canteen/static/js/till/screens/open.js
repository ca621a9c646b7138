// A shift begins with the cash that lies in the drawer.
import { say } from "../../words.js";
import { fenOf } from "../basket.js";
import { h } from "../dom.js";
import { notice, told, yuan } from "../parts.js";
import { pad } from "../pad.js";

export function openScreen(app) {
  const { float = "" } = app.form;
  const put = (typed) => app.set({ form: { float: typed }, problem: null });
  const fen = fenOf(float);
  const open = async (event) => {
    event.preventDefault();
    if (fen === null || !(await app.act(() => app.station.openShift(fen)))) return;
    app.basket = app.clean();
    app.go("sale");
    await app.changed();
  };
  return h("form", { class: "till-narrow door", onsubmit: open },
    h("section", { class: "door-words" },
      h("h1", null, say("开班", "Open the shift")),
      h("p", null, say("数一数钱箱里的备用金，填进来。没有就填 0。", "Count the cash in the drawer and enter it; 0 when it is empty.")),
      app.problem && notice("no", told(app.problem), { role: "alert" }),
      h("div", { class: "field" }, h("label", { class: "field-label", for: "float" }, say("备用金", "Cash in the drawer")),
        h("div", { class: "field-with-unit" }, h("input", { class: "input sum-input", id: "float", value: float, inputmode: "none", maxlength: 9, autocomplete: "off", focus: true, oninput: (event) => put(event.target.value) }), h("span", { class: "quiet" }, yuan()))),
      h("div", { class: "quick" }, ["0", "100", "200", "300", "500"].map((sum) => h("button", { type: "button", class: "button", id: `float-${sum}`, onclick: () => put(sum) }, sum))),
      h("button", { class: "button button-primary button-wide", id: "open-shift", disabled: fen === null || app.busy }, say("开班", "Open the shift"))),
    pad(float, put, { sums: true, most: 8 }));
}
