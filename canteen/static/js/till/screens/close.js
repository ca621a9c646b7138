// The end of a shift: count blind, note by note; what should be there is told afterwards.
import { say } from "../../words.js";
import { fenOf } from "../basket.js";
import { h } from "../dom.js";
import { button, icon, money, notice, told, yuan } from "../parts.js";
import { press } from "../pad.js";

const PIECES = [10000, 5000, 2000, 1000, 500, 100, 50, 10];

export function closeScreen(app) {
  if (app.form.closed) return closed(app);
  const { count = {}, reason = "", left = "", at = PIECES[0], asked = false } = app.form;
  const put = (changes) => app.set({ form: { ...app.form, ...changes }, problem: null });
  const total = PIECES.reduce((sum, fen) => sum + fen * Number(count[fen] || 0), 0);
  const stays = left === "" ? 0 : fenOf(left);
  const { waiting, shift } = app.station.state;
  const pays = app.sales.filter((sale) => sale.state === "awaiting").length;
  const close = async (event) => {
    event.preventDefault();
    if (stays === null || stays > total) return;
    const pieces = Object.fromEntries(PIECES.map((fen) => [fen, Number(count[fen] || 0)]));
    const done = await app.act(() => app.station.closeShift(pieces, reason.trim(), stays));
    // Asked for a reason, the cashier finds the field for it under the question.
    if (!done) {
      app.set({ form: { ...app.form, asked: true } });
      document.getElementById("why")?.focus();
    }
    if (done) app.set({ form: { closed: { ...(done === true ? {} : done), counted_fen: total, number: shift?.number } } });
  };
  return h("form", { class: "till-wide close", onsubmit: close },
    h("section", { class: "card close-count" },
      h("h1", null, say("交班点钞", "Close the shift")),
      h("p", { class: "quiet" }, say("只数张数，不看账面。数完再对。", "Count the pieces only; it is compared afterwards.")),
      h("ul", { class: "pieces" }, PIECES.map((fen) => piece(app, fen, count, put, at)))),
    h("section", { class: "card close-end" },
      app.problem && notice("no", told(app.problem), { role: "alert" }),
      asked && whyField(reason, put, asked),
      waiting > 0 && notice("look", say(`还有 ${waiting} 笔没有上传。可以交班，联网后一起上传。`, `Not sent yet: ${waiting}. You may close; they follow when connected.`)),
      pays > 0 && notice("look", say(`还有 ${pays} 笔等待付款。`, `Payments still awaited: ${pays}.`)),
      h("div", { class: "keypad", role: "group", "aria-label": say("数字键盘", "Key pad") }, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "0", "back"].map((key) =>
        h("button", { type: "button", class: "key", key, "aria-label": key === "back" ? say("删一位", "Delete one") : key === "clear" ? say("清空", "Clear") : null,
          onclick: () => put({ count: { ...count, [at]: press(String(count[at] ?? ""), key, { most: 4 }) } }) }, key === "back" ? icon("left") : key === "clear" ? icon("cross") : key))),
      h("p", { class: "close-total", "aria-live": "polite" }, h("span", null, say("点出", "Counted")), h("strong", { id: "counted" }, money(total), h("span", { class: "unit" }, yuan()))),
      h("div", { class: "field" }, h("label", { class: "field-label", for: "left" }, say("留给下一班", "Left for the next shift")),
        h("div", { class: "field-with-unit" }, h("input", { class: "input", id: "left", value: left, inputmode: "decimal", maxlength: 9, placeholder: "0", autocomplete: "off", oninput: (event) => put({ left: event.target.value }) }), h("span", { class: "quiet" }, yuan()))),
      !asked && whyField(reason, put, asked),
      h("div", { class: "sale-acts" }, button(say("先不交", "Not yet"), () => app.go("sale"), { id: "not-yet" }),
        h("button", { class: "button button-primary sale-go", id: "close-shift", disabled: app.busy || stays === null || stays > total }, stays > total ? say("留得比点出的多", "More left than counted") : say("交班", "Close the shift")))));
}

function whyField(reason, put, asked) {
  return h("div", { class: "field", key: asked ? "asked" : "why-field" }, h("label", { class: "field-label", for: "why" }, say("长短款说明", "If it is over or short, why"), " ", h("span", { class: "field-optional" }, asked ? "" : say("知道就写", "if known"))),
    h("input", { class: "input", id: "why", value: reason, maxlength: 200, autocomplete: "off", oninput: (event) => put({ reason: event.target.value }) }));
}

function piece(app, fen, count, put, at) {
  const label = fen >= 100 ? say(`${fen / 100} 元`, `${fen / 100} yuan`) : say(`${fen / 10} 角`, `${fen / 100} yuan`);
  const many = count[fen] ?? "";
  return h("li", { class: `piece${at === fen ? " piece-at" : ""}`, key: fen },
    h("label", { class: "piece-label", for: `piece-${fen}` }, label),
    h("input", { class: "input", id: `piece-${fen}`, value: String(many), inputmode: "none", maxlength: 4, autocomplete: "off", placeholder: "0", focus: fen === PIECES[0],
      onfocus: () => app.form.at !== fen && put({ at: fen }), oninput: (event) => put({ count: { ...count, [fen]: event.target.value.replace(/\D/g, "") } }) }),
    h("span", { class: "piece-sum quiet" }, many ? money(fen * Number(many)) : ""));
}

function closed(app) {
  const { counted_fen, expected_fen, over_fen, left_fen, shift_id, number } = app.form.closed;
  const over = over_fen ?? (expected_fen === undefined || expected_fen === null ? null : counted_fen - expected_fen);
  return h("div", { class: "till-narrow closed-shift" },
    h("p", { class: "end-done" }, icon("check"), h("span", null, say(`第 ${number} 班已交`, `Shift ${number} is closed`))),
    h("p", { class: "close-total" }, h("span", null, say("点出", "Counted")), h("strong", null, money(counted_fen), h("span", { class: "unit" }, yuan()))),
    over === null
      ? notice("info", say("联网上传后核对长短款，在“班次”里看。", "Whether it is over or short is worked out once it is sent; see “Shifts”."))
      : [h("p", { class: "close-sum" }, h("span", null, say("应有", "Should be")), h("strong", null, money(expected_fen ?? counted_fen - over))),
          over === 0 ? notice("done", say("一分不差。", "Right to the fen."))
            : notice("look", over > 0 ? say(`长款 ${money(over)} 元，已记账。`, `${money(over)} yuan over; booked.`) : say(`短款 ${money(-over)} 元，已记账。`, `${money(-over)} yuan short; booked.`), { role: "status" })],
    left_fen > 0 && h("p", { class: "close-sum" }, h("span", null, say("留给下一班", "Left for the next shift")), h("strong", null, money(left_fen))),
    shift_id && h("a", { class: "button button-wide", href: `/till/shifts/${shift_id}` }, say("看交班报表", "See the Z report")),
    button(say("好", "Done"), () => app.go("sale"), { kind: "primary", wide: true, id: "closed-done" }));
}
