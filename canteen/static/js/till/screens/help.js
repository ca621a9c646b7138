// Every key, on one sheet.
import { say } from "../../words.js";
import { h } from "../dom.js";
import { KEYS } from "../hotkeys.js";
import { sheet } from "../parts.js";

export function help(app) {
  return sheet(app, say("按键", "Keys"), [
    h("dl", { class: "keys-list" }, KEYS().map(([keys, does]) => h("div", null,
      h("dt", null, keys.split("  ").map((key) => h("kbd", null, key))), h("dd", null, does)))),
  ], { id: "help", wide: true });
}
