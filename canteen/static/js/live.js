// Keeps a list fresh: <div id="orders" data-live="15"> is fetched again every 15 seconds.
// data-live-from names another address; the answer must hold an element with the same id.
import { bind } from "./main.js";
import { say } from "./words.js";

export function attach(element) {
  const seconds = Math.max(2, Number(element.dataset.live) || 20);
  const id = element.id;
  let failed = 0;
  const again = () => setTimeout(refresh, seconds * 1000 * Math.min(2 ** failed, 8));

  async function refresh() {
    const now = document.getElementById(id);
    if (!now) return;
    const busy =
      document.hidden || now.contains(document.activeElement) || document.querySelector("dialog[open]");
    if (busy) {
      again();
      return;
    }
    try {
      const address = now.dataset.liveFrom || location.href;
      const answer = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(id);
      if (!fresh) throw new Error("no such part");
      if (fresh.innerHTML !== now.innerHTML) {
        now.replaceChildren(...document.adoptNode(fresh).childNodes);
        await bind(now);
      }
      failed = 0;
      stale(id, false);
      if (!fresh.dataset.live) return; // it has come to its end
    } catch {
      failed += 1;
      stale(id, true);
    }
    again();
  }
  again();
}

// An old list must not look like a fresh one.
function stale(id, is) {
  const note = document.querySelector(`[data-live-note="${id}"]`);
  if (!note) return;
  note.textContent = is ? say("暂时连不上，显示的是之前的内容", "Not connected; showing what was known before") : "";
}
