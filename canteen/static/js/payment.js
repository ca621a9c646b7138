// Waits for a payment: looks every two seconds, asks the provider itself every tenth time.
import { say } from "./words.js";

const EVERY = 2000;
const box = document.querySelector("[data-payment]");
const note = document.querySelector("[data-payment-note]");
let times = 0;

async function look() {
  times += 1;
  try {
    const check = document.querySelector("[data-payment-check]");
    if (check && times % 10 === 0) {
      await fetch(check.action, { method: "POST", body: new FormData(check), redirect: "manual" });
    }
    const answer = await fetch(box.dataset.payment, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const now = await answer.json();
    if (now.paid || now.state !== "awaiting_payment") {
      location.reload();
      return;
    }
    note.textContent = say("等待付款，到账后这里会变", "Waiting; this changes when it has arrived");
  } catch {
    note.textContent = say("暂时连不上，还在继续查", "Not connected; still trying");
  }
  setTimeout(look, EVERY);
}

if (box) setTimeout(look, EVERY);
