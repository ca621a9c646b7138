// A key pad for wet hands: each key types into the field named by data-keypad.
export function attach(pad) {
  const input = document.getElementById(pad.dataset.keypad);
  if (!input) return;
  pad.addEventListener("click", (event) => {
    const key = event.target.closest("button")?.dataset.key;
    if (key === undefined) return;
    if (key === "back") input.value = input.value.slice(0, -1);
    else if (key === "clear") input.value = "";
    else if (input.maxLength < 0 || input.value.length + key.length <= input.maxLength) input.value += key;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
