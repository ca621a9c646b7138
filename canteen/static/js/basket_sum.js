// Adds up the dishes while they are chosen, and says the sum beside the button that goes on.
const form = document.querySelector("[data-basket]");
const shown = form?.querySelector("[data-basket-sum]");
const line = form?.querySelector("[data-basket-line]");

function add() {
  let fen = 0;
  let portions = 0;
  for (const input of form.querySelectorAll("input[data-fen]")) {
    const many = Math.max(0, Math.trunc(input.valueAsNumber || 0));
    fen += many * Number(input.dataset.fen);
    portions += many;
  }
  shown.textContent = (fen / 100).toFixed(2);
  line.hidden = portions === 0;
}

if (form && shown && line) {
  form.addEventListener("input", add);
  // Coming back with the browser's arrow brings the numbers back, but not their sum.
  window.addEventListener("pageshow", add);
  add();
}
