// The kitchen's board keeps itself fresh: asks with the mark of what it shows, mostly hears 304,
// says aloud which orders are new, and stays where the reader's finger is.
import { say } from "./words.js";

const board = document.getElementById("kitchen");
const news = document.querySelector("[data-kitchen-news]");
const stale = document.querySelector("[data-kitchen-stale]");
const seconds = Math.max(2, Number(board?.dataset.kitchen) || 5);
const NEW_FOR = 30_000; // how long a new order stands out
const fresh = new Map(); // id of a ticket → until when it stands out
let mark = null;
let failed = 0;
let timer = 0;
let asking = null;

function known() {
  return new Map([...board.querySelectorAll("[data-ticket]")].map((one) => [one.id, one.dataset.ticket]));
}

// Whoever is typing a signature must not lose it.
function typing() {
  const at = document.activeElement;
  return at instanceof HTMLInputElement && board.contains(at) && at.value !== at.defaultValue;
}

function show(text) {
  const part = new DOMParser().parseFromString(text, "text/html").getElementById("kitchen");
  if (!part) throw new Error("no board");
  const before = known();
  const key = document.activeElement?.dataset?.key;
  board.replaceChildren(...document.adoptNode(part).childNodes);
  if (key) board.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  const added = [...known()].filter(([id]) => !before.has(id));
  for (const [id] of added) fresh.set(id, Date.now() + NEW_FOR);
  if (added.length) tell(added.map(([, words]) => words));
  light();
}

function light() {
  for (const [id, until] of fresh) {
    if (until < Date.now()) fresh.delete(id);
    document.getElementById(id)?.classList.toggle("ticket-new", fresh.has(id));
  }
  if (!fresh.size) news.hidden = true;
}

function tell(orders) {
  news.hidden = false;
  news.textContent = say("新订单：", "New order: ") + orders.join(say("；", "; "));
}

async function refresh() {
  clearTimeout(timer);
  light();
  if (!document.hidden && !typing()) {
    asking?.abort();
    asking = new AbortController();
    const impatient = setTimeout(() => asking.abort(), 8000);
    try {
      const headers = { Accept: "text/html" };
      if (mark) headers["If-None-Match"] = mark;
      const answer = await fetch(location.pathname, { headers, cache: "no-store", signal: asking.signal });
      if (answer.status !== 304) {
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        const text = await answer.text();
        if (!typing()) {
          show(text);
          mark = answer.headers.get("ETag");
        }
      }
      failed = 0;
    } catch {
      failed += 1;
    } finally {
      clearTimeout(impatient);
    }
    stale.hidden = failed === 0;
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, seconds * 1000 * Math.min(2 ** failed, 6));
}

// A tap is sent without leaving the page; what the server refuses is said where news are said.
board?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.dataset.sent) return;
  form.dataset.sent = "yes";
  form.querySelector("button")?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, {
      method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, redirect: "manual",
    });
    if (answer.type !== "opaqueredirect" && !answer.ok) {
      const told = await answer.json().catch(() => null);
      news.hidden = false;
      news.textContent = told?.error?.message ?? say("没有成功，请再点一次", "It did not work; tap again");
      fresh.set("refusal", Date.now() + 10_000);
    }
  } catch {
    news.hidden = false;
    news.textContent = say("网络断了，没有记下，请再点一次", "No network; it was not noted. Tap again");
    fresh.set("refusal", Date.now() + 10_000);
  }
  delete form.dataset.sent;
  form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
  mark = null;
  refresh();
});

if (board) {
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  timer = setTimeout(refresh, seconds * 1000);
}
