// − n +: the buttons change the number between them and tell others that it changed.
export function attach(stepper) {
  const input = stepper.querySelector("input");
  const [less, more] = stepper.querySelectorAll("button");
  const update = () => {
    less.disabled = input.min !== "" && input.valueAsNumber <= Number(input.min);
    more.disabled = input.max !== "" && input.valueAsNumber >= Number(input.max);
  };
  const move = (by) => {
    if (by < 0) input.stepDown();
    else input.stepUp();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
    update();
  };
  less.addEventListener("click", () => move(-1));
  more.addEventListener("click", () => move(1));
  input.addEventListener("input", update);
  update();
}
