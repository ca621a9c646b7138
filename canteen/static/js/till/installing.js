// Keeps the app on the tablet, and lets a newer version in when no sale is open.
const LOOK = 30 * 60_000;
const WAIT = 5_000;

// `idle()` says whether the page may start again now: nothing in the basket, nothing being paid.
export async function keepInstalled(idle) {
  if (!("serviceWorker" in navigator)) return;
  const held = navigator.serviceWorker.controller !== null; // else the first worker is no news
  const kept = await navigator.serviceWorker.register("/till/sw.js", { scope: "/till" });
  let asked = false;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (asked && held) location.reload();
  });
  setInterval(() => kept.update().catch(() => {}), LOOK);
  setInterval(() => {
    if (!kept.waiting || !idle()) return;
    asked = true;
    kept.waiting.postMessage("take-over");
  }, WAIT);
}
