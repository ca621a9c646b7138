// How often an elder was subsidised, and how much a till may give while it cannot ask.
import { weekOf } from "./clock.js";
import { counts } from "./sales.js";

// The counts a price depends on: the server's as of entry `elder.head`, brought up to this day,
// and what this till did since.
export function usedBy(elder, { on, meal, sales }) {
  const { used, counted_on: then } = elder;
  const same = {
    day: then === on, week: weekOf(then) === weekOf(on), month: then.slice(0, 7) === on.slice(0, 7),
  };
  const now = {
    used_today: same.day ? (used.day ?? 0) : 0,
    used_this_week: same.week ? (used.week ?? 0) : 0,
    used_this_month: same.month ? (used.month ?? 0) : 0,
    used_this_meal: same.day ? (used.meals?.[meal] ?? 0) : 0,
  };
  for (const sale of sales) {
    if (sale.elder_id !== elder.id || !sale.uses_quota) continue;
    const since = sale.number > elder.head;
    let more = since && counts(sale) ? 1 : 0;
    if (!since && (sale.voided_in ?? 0) > elder.head) more = -1;
    if (!more) continue;
    if (sale.on === on) now.used_today += more;
    if (sale.on === on && sale.meal === meal) now.used_this_meal += more;
    if (weekOf(sale.on) === weekOf(on)) now.used_this_week += more;
    if (sale.on.slice(0, 7) === on.slice(0, 7)) now.used_this_month += more;
  }
  return Object.fromEntries(Object.entries(now).map(([name, many]) => [name, Math.max(0, many)]));
}

// Whether the district lets this till give the elder one more subsidised meal without asking.
// `unsent` are the sales the server has not acknowledged: that is what it gave since it last could.
export function within(rule, elder, unsent) {
  const given = unsent.filter((sale) => counts(sale) && sale.parts.subsidy_fen > 0);
  const toElder = given.filter((sale) => sale.elder_id === elder.id).length;
  return toElder < rule.per_elder && given.length < rule.per_till;
}
