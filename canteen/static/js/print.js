// Opens the print dialog: <button data-print>.
export function attach(button) {
  button.addEventListener("click", () => window.print());
}
