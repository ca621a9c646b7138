// One sale under way: who eats, what they take, how they pay. Pure; the screens show it.

export const MOST = 50; // portions of one dish
export const ALLERGENS = ["peanut", "egg", "milk", "seafood", "gluten"];
export const NOTES_FEN = [1000, 2000, 5000, 10000]; // the banknotes a diner is likely to hand over

export function empty(meal, service) {
  return {
    meal, service, elder: null, other: false, card: "", how: "", lines: new Map(), prefilled: false,
    toAccount: false, payment: "cash", cash: "", received: "", allowed: new Set(),
  };
}

// A copy with some things changed; lines and allowances are never shared between two baskets.
export function but(basket, changes) {
  return { ...basket, lines: new Map(basket.lines), allowed: new Set(basket.allowed), ...changes };
}

export function chosen(basket) {
  return Boolean(basket.elder || basket.other || basket.card);
}

export function add(basket, itemId, many = 1) {
  const lines = new Map(basket.lines);
  const now = Math.max(0, Math.min(MOST, (lines.get(itemId) ?? 0) + many));
  if (now) lines.set(itemId, now);
  else lines.delete(itemId);
  return but(basket, { lines, prefilled: false });
}

// The elder's usual dishes of this meal that are still there and that they may eat; for a regular
// whose dishes are all off today's menu the set of the day.
export function usual(elder, meal, items, left) {
  const good = (item) => item && left(item) > 0 && !marked(elder, item).length;
  const dishes = elder.usual?.[meal] ?? [];
  const found = dishes.map((dish) => items.find((one) => one.dish_id === dish)).filter(Boolean);
  const lines = new Map(found.filter(good).map((item) => [item.item_id, 1]));
  const set = dishes.length && !found.length && items.find((one) => one.kind === "set" && good(one));
  if (set) lines.set(set.item_id, 1);
  return lines;
}

// An elder steps up. What was tapped before stays theirs; an untouched usual set makes way.
export function identify(basket, elder, how, items, left) {
  if (basket.elder?.id === elder.id) return but(basket, { elder });
  const fresh = !basket.lines.size || basket.prefilled;
  const lines = fresh ? usual(elder, basket.meal, items, left) : new Map(basket.lines);
  return but(basket, {
    elder, how, lines, other: false, card: "", toAccount: false, allowed: new Set(),
    prefilled: fresh && lines.size > 0,
  });
}

export function marked(elder, item) {
  return (elder?.avoid ?? []).filter((mark) => item.marks.includes(mark));
}

// Dishes in the basket the elder must not eat, until the cashier has named each and gone on.
export function conflicts(basket, items) {
  if (!basket.elder) return [];
  return items
    .filter((item) => basket.lines.has(item.item_id) && !basket.allowed.has(item.item_id))
    .map((item) => ({ item, marks: marked(basket.elder, item) }))
    .filter((one) => one.marks.length);
}

// What was knowingly served although the elder should not have it: ["peanut"].
export function overrode(basket, items) {
  const marks = items
    .filter((item) => basket.lines.has(item.item_id) && basket.allowed.has(item.item_id))
    .flatMap((item) => marked(basket.elder, item));
  return [...new Set(marks)];
}

// Dishes that lack what the elder had better eat; a hint, never in the way.
export function gentle(basket, items) {
  const wants = basket.elder?.wants ?? [];
  return items
    .filter((item) => basket.lines.has(item.item_id))
    .map((item) => ({ item, wants: wants.filter((mark) => !item.marks.includes(mark)) }))
    .filter((one) => one.wants.length);
}

// "12.5" → 1250 fen; null for anything that is no sum.
export function fenOf(words) {
  const text = String(words).trim();
  return /^\d{1,6}([.]\d{0,2})?$/.test(text) ? Math.round(Number(text) * 100) : null;
}

// How the diner pays what is to pay: {payment, cash_fen, received_fen, back_fen, short_fen, fault}.
export function paying(basket, payable) {
  const cashPart = basket.payment === "mixed" ? fenOf(basket.cash) : null;
  const cash = payable === 0 || basket.payment === "cash" ? payable : (cashPart ?? 0);
  const mixed = basket.payment === "mixed";
  const given = basket.payment === "cash" ? fenOf(basket.received) : null;
  const fault =
    mixed && payable > 0 && (cashPart === null || cashPart <= 0 || cashPart >= payable)
      ? "cash"
      : basket.payment === "cash" && basket.received !== "" && given === null
        ? "received"
        : given !== null && given < payable
          ? "short"
          : "";
  return {
    payment: payable === 0 || basket.payment === "cash" ? "cash" : "online",
    cash_fen: cash,
    online_fen: payable - cash,
    received_fen: given,
    back_fen: given === null ? 0 : Math.max(given - payable, 0),
    short_fen: given === null ? 0 : Math.max(payable - given, 0),
    fault,
  };
}
