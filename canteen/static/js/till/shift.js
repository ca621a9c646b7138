// The shift at this till: what its entries say, checked before they are signed.
import { refusal } from "./refusals.js";

const NONE = { last: 0, open: null };
const MOST_FEN = 100_000_000;

export async function shiftOf(store, pack) {
  const kept = await store.get("meta", "shift");
  if (kept) return kept;
  const told = pack?.till?.shift; // an old journal of this till, seen from a new database
  return told ? { ...NONE, last: told.number } : NONE;
}

export function opening(shift, user, floatFen, openedAt) {
  if (shift.open) throw refusal("shift_open");
  mustBeSum(floatFen, { least: 0 });
  const number = shift.last + 1;
  const open = {
    number, cashier_id: user.id, cashier_name: user.name, float_fen: floatFen, opened_at: openedAt,
  };
  return { fields: { shift: number, cashier: user.id, float_fen: floatFen }, after: { last: number, open } };
}

// `count` says how many pieces of each: {"10000": 3, …}.
export function closing(shift, user, count, reason, leftFen) {
  let counted = 0;
  for (const [fen, pieces] of Object.entries(count)) {
    mustBeSum(pieces, { least: 0 });
    counted += Number(fen) * pieces;
  }
  mustBeSum(counted, { least: 0 });
  mustBeSum(leftFen, { least: 0, most: counted });
  const fields = {
    shift: shift.open.number, cashier: user.id, count, counted_fen: counted,
    reason: reason ?? "", left_fen: leftFen,
  };
  return { fields, after: { last: shift.last, open: null } };
}

export function moving(shift, user, fen, reasonCode, reason) {
  mustBeSum(Math.abs(fen), { least: 1 });
  return {
    shift: shift.open.number, cashier: user.id, fen, reason_code: reasonCode, reason: reason ?? "",
  };
}

function mustBeSum(fen, { least, most = MOST_FEN }) {
  if (!Number.isInteger(fen) || fen < least || fen > most) throw refusal("bad_sum");
}
