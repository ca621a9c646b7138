// On the receipt's page: <button data-print-bytes="…/receipt.escpos" hidden>, shown where it works.
import { announce } from "../words.js";
import { printerFor, sendBytes } from "./printer.js";

for (const button of document.querySelectorAll("[data-print-bytes]")) {
  button.hidden = printerFor() === null;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await sendBytes(button.dataset.printBytes);
    } catch (error) {
      if (error.name === "NotFoundError") return; // the reader closed the list of printers
      button.setAttribute("title", error.message);
      announce(error.message);
      let note = button.nextElementSibling;
      if (!note?.matches("[data-print-note]")) {
        note = document.createElement("p");
        note.dataset.printNote = "";
        note.className = "notice notice-look";
        button.after(note);
      }
      note.textContent = error.message;
    } finally {
      button.disabled = false;
    }
  });
}
