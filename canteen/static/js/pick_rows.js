// Tick all rows of a form[data-pick], and say how many are ticked and what they come to.
for (const form of document.querySelectorAll("form[data-pick]")) {
  const boxes = [...form.querySelectorAll("input[data-fen]")];
  const all = form.querySelector("[data-pick-all]");
  const count = form.querySelector("[data-pick-count]");
  const sum = form.querySelector("[data-pick-sum]");
  const send = form.querySelector(".pick-bar button");
  const show = () => {
    const ticked = boxes.filter((box) => box.checked);
    const fen = ticked.reduce((whole, box) => whole + Number(box.dataset.fen), 0);
    if (count) count.textContent = ticked.length;
    if (sum) sum.textContent = (fen / 100).toFixed(2);
    if (send) send.disabled = !ticked.length;
    if (all) {
      all.checked = ticked.length === boxes.length;
      all.indeterminate = ticked.length > 0 && !all.checked;
    }
  };
  all?.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  form.addEventListener("change", show);
  addEventListener("pageshow", show);
  show();
}
