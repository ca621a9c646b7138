// The price of a basket on this tablet: the server's rules over what the pack knows.
import { usedBy, within } from "./allowance.js";
import { quote } from "./engine/pricing.js";

export const NO_RULE = { per_elder: 1, per_till: 60, excess: "canteen", limit_fen: 0 };

// The menu of a meal on a day, or undefined.
export function menuOf(pack, on, meal) {
  return pack.menus.find((menu) => menu.on === on && menu.meal === meal);
}

// {quote, ask} of a basket. `ask` says what the elder's part rests on: "fresh" facts of the
// server, the allowance ("within"), or nothing any more ("beyond": the diner pays in full and the
// subsidy follows to the account); null without an elder.
export function priced(basket, { pack, on, online, sales, unsent }) {
  const { meal, elder = null } = basket;
  const listFen = listOf(basket, menuOf(pack, on, meal));
  if (listFen === 0) return { quote: null, ask: null };
  if (!elder || !pack.policy) return { quote: plain(listFen), ask: null };
  const kase = { ...caseOf(basket, { pack, on, listFen }), ...usedBy(elder, { on, meal, sales }) };
  const price = (account) =>
    quote(pack.policy.body, { ...kase, to_account: account }, { working: pack.working });
  const wished = Boolean(basket.toAccount);
  const shown = price(wished);
  if (online) return { quote: shown, ask: elder.fresh ? "fresh" : "within" };
  if (!shown.subsidy_fen || within(pack.rule ?? NO_RULE, elder, unsent)) {
    return { quote: shown, ask: "within" };
  }
  return { quote: price(true), ask: "beyond" };
}

function listOf({ lines }, menu) {
  const prices = new Map(menu?.items.map((item) => [item.item_id, item.price_fen]));
  let sum = 0;
  for (const [item, quantity] of lines) sum += (prices.get(item) ?? 0) * quantity;
  return sum;
}

function caseOf({ meal, service, elder }, { pack, on, listFen }) {
  const { district, street, tier, grade } = pack.canteen;
  return {
    district, street, on, meal, tier, grade, service, list_fen: listFen,
    standard_set_fen: pack.set_fen, discount_bp: discountFor(pack.discounts, elder.age),
    elder: elder.facts,
  };
}

// The canteen's own rate for an age: that of the highest age reached.
function discountFor(discounts, age) {
  const reached = discounts.filter((one) => one.min_age <= age);
  return reached.sort((one, other) => other.min_age - one.min_age)[0]?.bp ?? 0;
}

// The quote of a diner who is not on the register: the list price.
function plain(fen) {
  const yuan = `${Math.trunc(fen / 100)}.${String(fen % 100).padStart(2, "0")}`;
  const said = (code, kind, zh, en) => ({ code, params: {}, kind, zh, en });
  return {
    list_fen: fen, discount_fen: 0, subsidy_fen: 0, account_fen: 0, payable_fen: fen,
    enterprise_fen: 0, delivery_fen: 0, shares: [], group: null, uses_quota: false,
    steps: [
      said("list_price", "price", `餐费 ${yuan} 元`, `List price ${yuan} yuan`),
      said("no_elder", "note", "未识别老人，按原价", "No elder identified: list price"),
      said("payable", "price", `应付 ${yuan} 元`, `To pay ${yuan} yuan`),
    ],
  };
}
