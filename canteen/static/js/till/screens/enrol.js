// A tablet becomes a till of a canteen by the manager's one-time code.
import { say } from "../../words.js";
import { h } from "../dom.js";
import { button, notice, told } from "../parts.js";
import { pad } from "../pad.js";

// Under the name typed; under the next free one where nobody typed any: the second till is no mistake.
async function enrol(app, code, name) {
  try {
    return await app.station.enrol(code, name);
  } catch (fault) {
    if (fault.code !== "till_name_taken" || app.form.name !== undefined || !fault.detail?.free) throw fault;
    return app.station.enrol(code, fault.detail.free);
  }
}

export function enrolScreen(app) {
  const { code = "", name = say("1 号收银机", "Till 1") } = app.form;
  const put = (changes) => app.set({ form: { ...app.form, ...changes }, problem: null });
  const ready = /^\d{8}$/.test(code) && name.trim();
  const send = (event) => {
    event?.preventDefault();
    if (ready) app.act(() => enrol(app, code, name.trim())).then((done) => done ? app.set({ form: {}, toast: null }) : app.set({ form: { ...app.form, code: "" } }));
  };
  return h("form", { class: "till-narrow door", onsubmit: send },
    h("section", { class: "door-words" },
      h("h1", null, say("登记这台平板", "Enrol this tablet")),
      h("p", null, say("经理在“收银机”页面生成 8 位一次性代码，15 分钟内有效，只能用一次。", "The manager makes an 8-figure one-time code on the page “Tills”; it is good for 15 minutes and for one tablet.")),
      app.problem && notice("no", told(app.problem), { role: "alert" }),
      h("div", { class: "field" }, h("label", { class: "field-label", for: "till-name" }, say("这台叫什么", "Name of this till")),
        h("input", { class: "input", id: "till-name", value: name, maxlength: 20, autocomplete: "off", oninput: (event) => put({ name: event.target.value }) })),
      h("div", { class: "field" }, h("label", { class: "field-label", for: "code" }, say("一次性代码", "One-time code")),
        h("input", { class: "input code-input", id: "code", value: code, inputmode: "numeric", maxlength: 12, autocomplete: "one-time-code", focus: true,
          oninput: (event) => put({ code: event.target.value.replace(/\D/g, "").slice(0, 8) }) })),
      h("button", { class: "button button-primary button-wide", id: "enrol", disabled: !ready || app.busy }, app.busy ? say("正在登记…", "Enrolling…") : say("登记", "Enrol")),
      app.station.state.online && h("a", { class: "button button-wide", href: "/till/tills" }, say("经理：去生成一次性代码", "Manager: make a code")),
      button(say("先练习", "Practise first"), () => app.practise(true), { kind: "quiet", id: "practise" })),
    pad(code, (typed) => put({ code: typed }), { most: 8 }));
}

