// Copies a text: <button data-copy="the text">, and says that it did.
import { announce, say } from "./words.js";

export function attach(button) {
  button.addEventListener("click", async () => {
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = say("已复制", "Copied");
    } catch {
      button.textContent = say("没复制成，请手动选取", "Not copied; select it by hand");
    }
    announce(button.textContent);
    setTimeout(() => {
      button.textContent = before;
    }, 2000);
  });
}
