// Binds a behaviour only where a page asks for it by a data- attribute.
import { attach as askFirst } from "./dialogs.js";
import { attach as sendOnce } from "./double_submit.js";

// What stands between a reader and an act is there with the page; the rest is fetched when needed.
const BEHAVIOURS = [
  ["form[method=post]:not([data-many])", sendOnce],
  ["[data-confirm], [data-dialog]", askFirst],
  ["table[data-sort]", "./table_sort.js"],
  ["[data-text-size]", "./text_size.js"],
  ["[data-read-aloud]", "./read_aloud.js"],
  ["[data-live]", "./live.js"],
  ["[data-stepper]", "./stepper.js"],
  ["[data-network]", "./network.js"],
  ["[data-print]", "./print.js"],
  [".nav-link[aria-current]", "./in_view.js"],
];

document.documentElement.classList.add("js");

// `root` is the page, or a part of it that has just been replaced.
export async function bind(root = document) {
  const coming = [];
  for (const [selector, behaviour] of BEHAVIOURS) {
    const found = [...root.querySelectorAll(selector)];
    if (root !== document && root.matches(selector)) found.push(root);
    const fresh = found.filter((element) => !element.bound?.has(behaviour));
    for (const element of fresh) (element.bound ??= new Set()).add(behaviour);
    if (typeof behaviour === "function") fresh.forEach(behaviour);
    else if (fresh.length) coming.push(import(behaviour).then(({ attach }) => fresh.forEach(attach)));
  }
  await Promise.all(coming);
}

bind();
document.getElementById("error-summary")?.focus();
