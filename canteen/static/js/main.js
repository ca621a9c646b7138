// Binds a behaviour only where a page asks for it by a data- attribute.
const BEHAVIOURS = [
  ["form[method=post]:not([data-many])", "./double_submit.js"],
  ["[data-confirm], [data-dialog]", "./dialogs.js"],
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
  for (const [selector, file] of BEHAVIOURS) {
    const found = [...root.querySelectorAll(selector)];
    if (root !== document && root.matches(selector)) found.push(root);
    const fresh = found.filter((element) => !element.bound?.has(file));
    if (!fresh.length) continue;
    for (const element of fresh) (element.bound ??= new Set()).add(file);
    const { attach } = await import(file);
    fresh.forEach(attach);
  }
}

bind();
document.getElementById("error-summary")?.focus();
