// What the screens show of a sale, from the tap to the server's word on it.

const AFTER = { awaiting_payment: "awaiting", cancelled: "voided" };

// Who the diner is and why the price is what it is lie beside the pack, sealed with its key.
export const faceOf = (number) => `face:${number}`;

// A sale as it is kept: nothing in it names the diner.
export function saleRow(fields, { lines, quote, at }) {
  const { id, on, meal, service, payment, cash_fen, received_fen, to_account, shift, cashier } = fields;
  const { list_fen, discount_fen, subsidy_fen, account_fen, payable_fen, uses_quota } = quote;
  return {
    id, at, on, meal, service, payment, cash_fen, received_fen, to_account, shift, cashier, lines,
    parts: {
      list_fen, discount_fen, subsidy_fen, account_fen, payable_fen, cash_fen, excess_fen: 0,
    },
    elder_id: fields.elder, uses_quota, state: "kept", order_id: null, charge_id: null, notes: [],
    bearer: null, text: null, voided_in: null, receipt: null,
  };
}

// The same sale once the server has said what became of an entry about it.
export function settled(sale, kind, outcome) {
  const { result, code, text } = outcome;
  if (kind === "void") {
    if (result !== "refused") return { ...sale, state: "voided" };
    // Told too late to stop it, but nothing was taken back: the sale stands.
    const state = sale.order_id === null ? "kept" : "done";
    return { ...sale, state, voided_in: null, notes: [...sale.notes, code], text };
  }
  if (kind === "withdrawn") return sale;
  if (result === "refused") return { ...sale, state: "refused", notes: [code], text };
  const { order_id, charge_id, parts, notes, bearer, state } = outcome;
  return {
    ...sale, order_id, charge_id: charge_id ?? null, notes: notes ?? [], bearer: bearer ?? null,
    parts: { ...sale.parts, ...parts }, text: text ?? null,
    state: sale.voided_in === null ? (AFTER[state] ?? "done") : "voided",
  };
}

// Whether a sale takes one of its elder's meals, as far as this tablet knows.
export function counts(sale) {
  return sale.uses_quota && sale.state !== "refused" && sale.voided_in === null &&
    sale.state !== "voided";
}

// How many portions of one dish the given sales name, whatever became of them.
export function portionsOf(sales, itemId) {
  const lines = sales.flatMap((sale) => sale.lines).filter((line) => line.item_id === itemId);
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}

// How many subsidised meals are left this week after a sale; null where nobody counts weeks.
export function leftThisWeek(quote) {
  for (const step of quote?.steps ?? []) {
    if (step.code === "left_this_week") return Math.max(step.params.cap - step.params.used, 0);
    if (step.code === "cap_week" || step.code === "cap_week_beyond") return 0;
  }
  return null;
}

// How many of each dish the given sales took.
export function takenBy(sales) {
  const taken = new Map();
  for (const sale of sales) {
    if (sale.voided_in !== null || sale.state === "refused" || sale.state === "voided") continue;
    for (const { item_id, quantity } of sale.lines) {
      taken.set(item_id, (taken.get(item_id) ?? 0) + quantity);
    }
  }
  return taken;
}
