// The figure pad for wet hands: for a sum of money, a PIN, a number on a card.
import { say } from "../words.js";
import { h } from "./dom.js";
import { icon } from "./parts.js";

const PLAIN = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "clear", "0", "back"];
const SUMS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", ".", "0", "back"];

// `typed(text)` gets the whole text after each key; `most` is its longest length.
export function pad(text, typed, { sums = false, most = 18, label } = {}) {
  return h(
    "div", { class: "keypad", role: "group", "aria-label": label ?? say("数字键盘", "Key pad") },
    (sums ? SUMS : PLAIN).map((key) =>
      h("button", { type: "button", class: "key", key, "data-key": key, "aria-label": WORDS[key] ? say(...WORDS[key]) : null, onclick: () => typed(press(text, key, { sums, most })) },
        key === "back" ? icon("left") : key === "clear" ? icon("cross") : key)),
  );
}

const WORDS = { back: ["删一位", "Delete one"], clear: ["清空", "Clear"], ".": ["小数点", "Point"] };

export function press(text, key, { sums = false, most = 18 } = {}) {
  if (key === "back") return text.slice(0, -1);
  if (key === "clear") return "";
  if (key === ".") return text.includes(".") ? text : `${text || "0"}.`;
  if (sums && /[.]\d\d$/.test(text)) return text;
  return text.length < most ? text + key : text;
}
