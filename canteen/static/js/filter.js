// Narrows a list while typing: <input data-filter="id">, children of #id that do not match are hidden.
// For a table the rows of its body are the children. data-search on a child adds words to look in.
export function attach(input) {
  const target = document.getElementById(input.dataset.filter);
  if (!target) return;
  const counter = document.querySelector(`[data-filter-count="${input.dataset.filter}"]`);
  const narrow = () => {
    const wanted = input.value.trim().toLowerCase().split(/\s+/);
    const items = target.tBodies ? [...target.tBodies[0].rows] : [...target.children];
    let shown = 0;
    for (const item of items) {
      const text = `${item.textContent} ${item.dataset.search ?? ""}`.toLowerCase();
      item.hidden = !wanted.every((word) => text.includes(word));
      if (!item.hidden) shown += 1;
    }
    if (counter) counter.textContent = shown;
  };
  input.addEventListener("input", narrow);
  if (input.value) narrow();
}
