// Tick all rows of a form[data-pick], and say how many are ticked and what they come to. A box
// [data-pick-whole] ticks those of its [data-pick-group]; data-pick-confirm asks with number and sum.
const grouped = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
for (const form of document.querySelectorAll("form[data-pick]")) {
  const boxes = [...form.querySelectorAll("input[data-fen]:enabled")];
  const groups = [...form.querySelectorAll("[data-pick-group]")].map((group) => ({
    whole: group.querySelector("[data-pick-whole]"),
    boxes: boxes.filter((box) => group.contains(box)),
  }));
  const all = form.querySelector("[data-pick-all]");
  const count = form.querySelector("[data-pick-count]");
  const sum = form.querySelector("[data-pick-sum]");
  const send = form.querySelector(".pick-bar button");
  const show = () => {
    const ticked = boxes.filter((box) => box.checked);
    const fen = ticked.reduce((whole, box) => whole + Number(box.dataset.fen), 0);
    if (count) count.textContent = ticked.length;
    if (sum) sum.textContent = grouped.format(fen / 100);
    if (form.dataset.pickConfirm) {
      form.dataset.confirm = form.dataset.pickConfirm
        .replace("{n}", ticked.length).replace("{sum}", grouped.format(fen / 100));
    }
    if (send) send.disabled = !ticked.length;
    if (all) {
      all.checked = ticked.length === boxes.length;
      all.indeterminate = ticked.length > 0 && !all.checked;
    }
  };
  for (const { whole, boxes: own } of groups) {
    if (whole.checked) for (const box of own) box.checked = true;
    whole.addEventListener("change", () => {
      for (const box of own) box.checked = whole.checked;
    });
    for (const box of own) {
      box.addEventListener("change", () => (whole.checked = own.every((one) => one.checked)));
    }
  }
  all?.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  form.addEventListener("change", show);
  addEventListener("pageshow", show);
  show();
}
