// The receipt of a sale, drawn on the tablet itself, so that it is there without a network.
import { say } from "../words.js";
import { FUNDERS } from "./engine/sentences.js";
import { printerFor, sendBytes } from "./printer.js";
import { leftThisWeek } from "./sales.js";

const SVG = "http://www.w3.org/2000/svg";
const PAPERS = ["80", "58"];
const MEALS = { breakfast: ["早餐", "breakfast"], lunch: ["午餐", "lunch"], dinner: ["晚餐", "dinner"] };
const SERVICES = { eat_in: ["堂食", "eat in"], pick_up: ["自取", "pick up"], delivery: ["送餐", "delivery"] };

export function yuan(fen) {
  const whole = Math.floor(Math.abs(fen) / 100).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return `${fen < 0 ? "−" : ""}${whole}.${String(Math.abs(fen) % 100).padStart(2, "0")}`;
}

// The width of the roll in this tablet's printer, in mm.
export function paper(chosen) {
  try {
    if (PAPERS.includes(chosen)) localStorage.setItem("paper", chosen);
    const kept = localStorage.getItem("paper");
    return PAPERS.includes(kept) ? kept : PAPERS[0];
  } catch {
    return PAPERS.includes(chosen) ? chosen : PAPERS[0]; // a tablet that may keep nothing
  }
}

export function receiptElement(sale, station) {
  const parts = sale.parts;
  const canteen = station.pack?.canteen ?? {};
  const till = station.state.till ?? {};
  const article = make("article", { class: `receipt${paper() === "58" ? " receipt-58" : ""}`, lang: say("zh-Hans-CN", "en") });
  const name = say(canteen.name, canteen.name_en || canteen.name) ?? say(till.canteen_name, till.canteen_name_en || till.canteen_name);
  article.append(
    make("p", { class: "receipt-head" }, name ?? ""),
    make("p", { class: "receipt-foot" },
      `${till.name ?? ""} ${say(`第 ${sale.number} 号`, `no. ${sale.number}`)} · ${say(...MEALS[sale.meal])} · ${say(...SERVICES[sale.service])}`,
      make("br"), moment(sale.at)),
  );
  if (station.state.practice) article.append(make("p", { class: "receipt-void" }, say("练习，不是真的收据", "PRACTICE, NOT A RECEIPT")));
  if (sale.state === "voided") article.append(make("p", { class: "receipt-void" }, say("已作废", "VOID")));
  if (sale.state === "refused") article.append(make("p", { class: "receipt-void" }, say("没有成交", "NOTHING WAS SOLD")));
  article.append(dishes(sale), sums(sale, parts), paid(sale, parts));
  if (sale.state === "kept") {
    article.append(make("p", { class: "receipt-kept" },
      say("断网时开出，等待上传；上传前扫码会显示“还没有上传”。", "Sold without network and waiting to be uploaded; until then the code answers “not uploaded yet”.")));
  }
  if (sale.receipt?.code && sale.state !== "refused" && !station.state.practice) article.append(check(sale.receipt));
  const foot = [canteen.address, canteen.phone].filter(Boolean);
  if (foot.length) article.append(make("p", { class: "receipt-foot" }, foot[0], ...(foot[1] ? [make("br"), foot[1]] : [])));
  return article;
}

// The code to scan; where none was drawn ahead, the address to type.
function check({ bits, size, code, path }) {
  const shown = bits
    ? [qr(bits, size), make("span", {}, say("扫码核对", "Scan to check"), make("br"), code)]
    : [make("span", {}, say("核对网址", "Check it at"), make("br"), location.origin + path)];
  return make("div", { class: "receipt-check" }, ...shown);
}

function dishes(sale) {
  const table = make("table", { class: "receipt-lines" });
  for (const line of sale.lines) {
    const name = say(line.name, line.name_en || line.name);
    table.append(row(name, `${line.quantity} ×`, yuan(line.unit_fen)));
  }
  return table;
}

// All four parts always stand there, as on every screen: a nought is said, not left out.
function sums(sale, parts) {
  const table = make("table", { class: "receipt-sums" });
  table.append(
    row(say("标价", "Price"), yuan(parts.list_fen)),
    row(say("− 食堂优惠（食堂承担）", "− Discount (borne by the canteen)"), yuan(parts.discount_fen)),
    row(say("− 政府补贴", "− Subsidy"), yuan(parts.subsidy_fen)),
  );
  const payers = parts.subsidy_fen ? payersOf(sale.quote) : [];
  for (const [who, fen] of payers) {
    const line = row(`${say("由", "paid by ")}${who}${say("承担", "")}`, yuan(fen));
    line.className = "receipt-payer";
    table.append(line);
  }
  const pay = row(say("您付", "You pay"), `￥${yuan(parts.payable_fen)}`);
  pay.className = "receipt-pay";
  table.append(pay);
  return table;
}

export function payersOf(quote) {
  const shares = new Map();
  for (const share of quote?.shares ?? []) {
    if (share.side === "elder") shares.set(share.funder, (shares.get(share.funder) ?? 0) + share.amount_fen);
  }
  return [...shares].map(([who, fen]) => [FUNDERS[who] ? say(FUNDERS[who].zh, FUNDERS[who].en) : who, fen]);
}

function paid(sale, parts) {
  const table = make("table", { class: "receipt-lines" });
  const online = parts.payable_fen - sale.cash_fen;
  const waits = sale.state === "awaiting";
  if (sale.cash_fen || !online) table.append(row(say("现金", "Cash"), yuan(sale.cash_fen)));
  if (online) table.append(row(waits ? say("线上待付", "Online, not paid yet") : say("线上支付", "Online"), yuan(online)));
  if (sale.received_fen != null && sale.received_fen > sale.cash_fen) {
    table.append(row(say("收到 / 找零", "Received / change"), `${yuan(sale.received_fen)} / ${yuan(sale.received_fen - sale.cash_fen)}`));
  }
  if (sale.elder) table.append(row(say("食客", "Diner"), halfHidden(sale.elder.name)));
  if (parts.account_fen) table.append(row(say("之后打到账户", "To the account later"), yuan(parts.account_fen)));
  const left = sale.state === "voided" ? null : leftThisWeek(sale.quote);
  if (left !== null) table.append(row(say("补贴", "Subsidy"), say(`本周还可用 ${left} 次`, `${left} left this week`)));
  return table;
}

function halfHidden(name) {
  const letters = [...name];
  return letters.length > 2 ? `${letters[0]}*${letters.at(-1)}` : `${letters[0]}*`;
}

// Row-major bits, the quiet zone left to us; one path, because a strict policy draws no markup.
export function qr(bits, size) {
  const bytes = Uint8Array.from(atob(bits), (one) => one.charCodeAt(0));
  const dark = (x, y) => { const at = y * size + x; return bytes[at >> 3] & (128 >> (at & 7)); };
  let path = "";
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (!dark(x, y)) continue;
      let run = 1;
      while (x + run < size && dark(x + run, y)) run++;
      path += `M${x + 4} ${y + 4}h${run}v1h-${run}z`;
      x += run;
    }
  }
  const drawing = document.createElementNS(SVG, "svg");
  const whole = size + 8;
  for (const [name, value] of [["class", "qr"], ["viewBox", `0 0 ${whole} ${whole}`], ["role", "img"], ["aria-label", say("核对小票的二维码", "Code to check this receipt")]]) drawing.setAttribute(name, value);
  const ground = document.createElementNS(SVG, "rect");
  for (const [name, value] of [["width", whole], ["height", whole], ["fill", "#fff"]]) ground.setAttribute(name, value);
  const drawn = document.createElementNS(SVG, "path");
  drawn.setAttribute("d", path);
  drawing.append(ground, drawn);
  return drawing;
}

// Puts a copy alone on the paper and opens the browser's print dialog.
export function printReceipt(sale, station) {
  document.querySelector("body > .receipt-print")?.remove();
  const copy = receiptElement(sale, station);
  copy.classList.add("receipt-print");
  document.body.append(copy);
  window.addEventListener("afterprint", () => copy.remove(), { once: true });
  window.print();
}

// Whether this browser can speak to a receipt printer by itself.
export const canPrintBytes = () => printerFor() !== null;

// Sends a receipt to the printer on the cable. The bytes are the server's, so it needs a network;
// call it from a tap, for the browser may have to ask which printer it is.
export async function printEscpos(sale) {
  if (!sale.order_id) throw new Error(say("上传之后才能用小票打印机，现在可以用浏览器打印。", "The receipt printer works once the sale is uploaded; print from the browser meanwhile."));
  await sendBytes(`/till/orders/${sale.order_id}/receipt.escpos?paper=${paper()}`);
}

function moment(at) {
  const there = new Intl.DateTimeFormat(say("zh-CN", "en-GB"), {
    timeZone: "Asia/Shanghai", year: "numeric", month: say("long", "short"), day: "numeric",
    weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  return there.format(new Date(at));
}

function row(label, ...values) {
  return make("tr", {}, make("td", {}, label), ...values.map((one) => make("td", { class: "number" }, one)));
}

function make(name, attributes = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}
