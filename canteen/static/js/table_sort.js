// Sorts a table by a column: <table data-sort>, each sortable head <th data-sort-key>.
import { announce, say } from "./words.js";

export function attach(table) {
  table.querySelectorAll("thead th[data-sort-key]").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort-button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, head));
  });
}

function sort(table, head) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  const column = head.cellIndex;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const compare = new Intl.Collator(document.documentElement.lang, { numeric: true }).compare;
  rows.sort((one, other) => {
    const [a, b] = [value(one.cells[column]), value(other.cells[column])];
    const order = typeof a === "number" && typeof b === "number" ? a - b : compare(`${a}`, `${b}`);
    return up ? order : -order;
  });
  body.append(...rows);
  table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  announce(say(`已按${head.textContent.trim()}排序`, `Sorted by ${head.textContent.trim()}`));
}

// data-value says what to sort by when the words do not; numbers may carry marks.
function value(cell) {
  const text = (cell?.dataset.value ?? cell?.textContent ?? "").trim();
  const plain = text.replace(/[,\s\u202f%元]|yuan/g, "").replace("−", "-");
  return plain !== "" && !Number.isNaN(Number(plain)) ? Number(plain) : text;
}
