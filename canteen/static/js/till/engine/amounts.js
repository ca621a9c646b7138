// What one part of a subsidy comes to for one meal, or the step that says why it does not count.
// A `meal` is {kase, spendFen, group, age}: one meal of one entitled person.
import { step } from "./explaining.js";
import { takeRate } from "./money.js";
import { PLACES } from "./sentences.js";

// Whether something with these `groups` is meant for a group; naming none means all.
export function forGroup(named, group) {
  if (!named?.length || (named.length === 1 && named[0] === "*")) return true;
  return named.includes(group.code);
}

// Why a part does not count for a meal of this kind at this place; null when it does.
export function elsewhere(part, kase) {
  const misses = (list, value) => list?.length > 0 && !list.includes(value);
  const words = { title: part.title };
  if (
    misses(part.meals, kase.meal) ||
    misses(part.services, kase.service ?? "eat_in") ||
    misses(part.tiers, kase.tier)
  ) {
    return step("layer_not_here", { part: part.code }, words);
  }
  const place = part.place ?? "anywhere";
  if (place === "anywhere") return null;
  const here = place === "home_district" ? kase.district : kase.street;
  if (here && (kase.elder?.household ?? "").startsWith(here)) return null;
  return step("layer_elsewhere", { part: part.code, place }, { ...words, place: PLACES[place] });
}

// [fen, step|null], before the amount is held to what is left to pay. `beforeFen` is what
// earlier layers came to, for `rest`. A kind this tablet does not know must not be guessed.
export function amountOf(amount, meal, beforeFen = 0) {
  const count = KINDS[amount.kind];
  if (!count) throw new Error(`no such amount: ${amount.kind}`);
  const found = count(amount, meal, beforeFen);
  return Array.isArray(found) ? found : [found, null];
}

const KINDS = {
  __proto__: null,
  flat: (amount) => amount.fen,
  percent(amount, { kase, spendFen }) {
    const base = amount.of === "list" ? kase.list_fen : spendFen;
    return atMost(takeRate(base, amount.rate_bp), amount.ceiling_fen);
  },
  up_to: (amount, { spendFen }) => Math.min(amount.fen, spendFen),
  by_tier: (amount, { kase }) => amount.tiers.find((row) => row.tier === kase.tier)?.fen ?? 0,
  by_grade(amount, { kase }) {
    const row = amount.grades.find(({ grade }) => grade === kase.grade);
    return row ? row.fen : (amount.ungraded_fen ?? 0);
  },
  rest(amount, { spendFen }, beforeFen) {
    const price = atMost(spendFen, amount.up_to_price_fen);
    const rest = Math.max(0, price - beforeFen - (amount.diner_pays_fen ?? 0));
    return atMost(rest, amount.ceiling_fen);
  },
  by_band(amount, { spendFen, group, age }) {
    for (const band of amount.bands) {
      if (band.groups?.length && !band.groups.includes(group.code)) continue;
      if (age < (band.min_age ?? 0) || (band.max_age != null && age > band.max_age)) continue;
      const least = band.min_spend_fen ?? 0;
      if (spendFen >= least) return band.fen;
      return [0, step("spend_below_threshold", { fen: spendFen, least_fen: least })];
    }
    return 0;
  },
};

function atMost(fen, ceilingFen) {
  return ceilingFen == null ? fen : Math.min(fen, ceilingFen);
}
