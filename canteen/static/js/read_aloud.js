// Reads the page's main part aloud where the browser can speak; a second tap stops it.
import { say } from "./words.js";

export function attach(button) {
  if (!("speechSynthesis" in window)) return;
  button.hidden = false;
  const label = button.querySelector("[data-label]") ?? button;
  const rest = label.textContent;
  const quiet = () => {
    label.textContent = rest;
    button.removeAttribute("aria-pressed");
  };
  button.addEventListener("click", () => {
    if (speechSynthesis.speaking) {
      speechSynthesis.cancel();
      quiet();
      return;
    }
    const part = document.querySelector(button.dataset.readAloud || "main");
    // Sentence by sentence: some engines fall silent after fifteen seconds of one utterance.
    const sentences = part.innerText.split(/(?<=[。!?;.!?])|\n+/).filter((text) => text.trim());
    sentences.forEach((text, index) => {
      const speech = new SpeechSynthesisUtterance(text);
      speech.lang = document.documentElement.lang.startsWith("en") ? "en-GB" : "zh-CN";
      speech.rate = 0.9;
      if (index === sentences.length - 1) speech.onend = quiet;
      speechSynthesis.speak(speech);
    });
    label.textContent = say("停止朗读", "Stop reading");
    button.setAttribute("aria-pressed", "true");
  });
  window.addEventListener("pagehide", () => speechSynthesis.cancel());
}
