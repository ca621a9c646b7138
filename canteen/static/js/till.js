// Makes the till quick: a tap changes the page at once and asks for the price of it behind.
// Everything works without this file; the form then travels whole with every tap.
import { bind } from "./main.js";
import { announce, say } from "./words.js";

const BY_HAND = "search";
let turn = 0; // every answer but the latest is out of date
let under_way = Promise.resolve();

const sale = () => document.getElementById("sale");
const field = () => document.getElementById("find");

ready();
document.addEventListener("submit", submitted, true);
document.addEventListener("input", typed);
document.addEventListener("keydown", key);
document.addEventListener("pointerdown", (event) => {
  // Only a finger on the field itself wants the keyboard on the screen; a scanner does not.
  if (event.target === field()) field().inputMode = BY_HAND;
});

function ready() {
  const find = field();
  if (!find) return;
  find.inputMode = "none";
  if (document.activeElement === document.body) find.focus({ preventScroll: true });
}

function submitted(event) {
  const form = event.target;
  if (form !== sale()) return;
  const button = event.submitter;
  if (button?.id === "sell") {
    sell(event, form);
    return;
  }
  event.preventDefault();
  if (button) reflect(form, button);
  send(form, button);
}

// A sale goes out as a whole page, once, and never before the price of the last tap is here.
function sell(event, form) {
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    under_way.then(() => {
      const button = document.getElementById("sell");
      if (button && !button.disabled) sale().requestSubmit(button);
    });
    return;
  }
  form.dataset.sent = "yes";
  document.getElementById("sell").setAttribute("aria-busy", "true");
}

window.addEventListener("pageshow", (event) => {
  // The browser's arrow brings back a page that has sold already: begin afresh.
  if (event.persisted && sale()?.dataset.sent) location.replace(location.pathname);
});

// What a tap on a dish means is known here; the answer only confirms it.
function reflect(form, button) {
  const add = button.dataset.add;
  const item = add ?? button.dataset.less;
  if (item === undefined) return;
  let many = form.elements[`item-${item}`];
  if (!many) {
    many = document.createElement("input");
    many.type = "hidden";
    many.name = `item-${item}`;
    many.value = "0";
    form.append(many);
  }
  const now = Math.max(0, Math.min(50, Number(many.value) + (add === undefined ? -1 : 1)));
  many.value = String(now);
  for (const count of form.querySelectorAll(`[data-count="${item}"]`)) {
    count.hidden = now === 0;
    count.textContent = now || "";
    count.closest(".dish").classList.toggle("dish-picked", now > 0);
  }
  const line = form.querySelector(`[data-many="${item}"]`);
  if (line) line.textContent = String(now);
}

function send(form, button) {
  const mine = ++turn;
  const body = new FormData(form);
  const counted = button && (button.dataset.add !== undefined || button.dataset.less !== undefined);
  // Counted taps are in the fields already; sent again they would count twice.
  if (button?.name && !counted) body.set(button.name, button.value);
  const address = counted ? form.action : button?.formAction || form.action;
  const looked = body.get("find");
  form.setAttribute("aria-busy", "true");
  under_way = fetch(address, {
    method: "POST",
    body,
    headers: { "X-Part": "sale", Accept: "text/html" },
  })
    .then(async (answer) => {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== turn) return;
      const fresh = page.getElementById("sale");
      if (!fresh) {
        // Signed out, stopped, or the day has ended: the whole page says which.
        location.assign(location.pathname);
        return;
      }
      replace(document.adoptNode(fresh), looked);
    })
    .catch(() => {
      if (mine !== turn) return;
      sale()?.removeAttribute("aria-busy");
      announce(say("没有连上，请再点一次", "Not connected; tap again"));
      complain();
    });
}

function complain() {
  const box = document.querySelector(".sale-order");
  if (!box || document.getElementById("not-connected")) return;
  const line = document.createElement("p");
  line.id = "not-connected";
  line.className = "notice notice-no";
  line.setAttribute("role", "alert");
  line.textContent = say(
    "没有连上，这一下没有算进价钱里。网络好了再点一次。",
    "Not connected: the price does not include this tap. Tap again when the network is back.",
  );
  box.prepend(line);
}

function replace(fresh, looked) {
  const old = sale();
  const scrolled = ["dishes", "basket"].map((id) => [id, document.getElementById(id)?.scrollTop]);
  const typing = field().value !== looked ? field().value : "";
  const active = document.activeElement;
  const again = active?.id && active !== field() && active.matches(":focus-visible") ? active.id : "";
  const received = active?.id === "received" ? active.value : null;
  old.replaceWith(fresh);
  bind(fresh);
  for (const [id, top] of scrolled) {
    const part = document.getElementById(id);
    if (part && top) part.scrollTop = top;
  }
  const basket = document.getElementById("basket");
  if (basket && !scrolled[1][1]) basket.scrollTop = basket.scrollHeight;
  const find = field();
  find.inputMode = "none";
  if (typing) find.value = typing;
  const target = (again && document.getElementById(again)) || find;
  target.focus({ preventScroll: true });
  if (target === find && find.value && !typing) find.select();
  if (received !== null && target.id === "received") target.value = received;
  const said = fresh.querySelector(".price-why, .notice p");
  if (said) announce(said.textContent.trim());
}

// The change, while the banknotes are being counted.
function typed(event) {
  if (event.target.id !== "received") return;
  const out = document.getElementById("change");
  const payable = Number(event.target.closest("[data-payable]").dataset.payable);
  const given = /^\d{1,6}([.]\d{0,2})?$/.test(event.target.value.trim())
    ? Math.round(Number(event.target.value) * 100)
    : NaN;
  if (Number.isNaN(given)) {
    out.textContent = "";
    return;
  }
  const left = given - payable;
  out.textContent = `${left < 0 ? out.dataset.short : out.dataset.back} ${(Math.abs(left) / 100).toFixed(2)}`;
}

// A scanner types wherever the focus happens to be, and ends with Enter.
function key(event) {
  const at = event.target;
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (at.id === "received" && event.key === "Enter") {
    event.preventDefault();
    const typed_in = at.value.trim();
    if (/^\d{8,}$/.test(typed_in)) {
      at.value = "";
      field().value = typed_in;
      sale().requestSubmit(document.getElementById("find-go"));
    } else {
      document.getElementById("sell").focus();
    }
    return;
  }
  if (at.matches("input, textarea, select") || event.key.length !== 1 || event.key === " ") return;
  field()?.focus({ preventScroll: true });
}
