// The gates a meal must pass before anything is paid, each judged alone.
import { listed, step } from "./explaining.js";
import { SERVICES } from "./sentences.js";

// Why a gate stays shut; null when it opens. `setFen` is the standard set of that day, `fullFen`
// the subsidy before it is held to what is left to pay. An unknown kind must not be guessed.
export function gateRefusal(gate, meal, setFen, fullFen) {
  const judge = KINDS[gate.kind];
  if (!judge) throw new Error(`no such gate: ${gate.kind}`);
  return judge(gate, meal, setFen, fullFen);
}

const KINDS = {
  __proto__: null,
  price_at_least_standard_set(gate, { kase, spendFen }, setFen) {
    const judged = gate.judged_on === "spend" ? spendFen : kase.list_fen;
    if (setFen === null || judged >= setFen) return null;
    return step("price_below_standard_set", { fen: judged, least_fen: setFen });
  },
  spend_at_least(gate, { spendFen }) {
    if (spendFen >= gate.fen) return null;
    return step("spend_below_threshold", { fen: spendFen, least_fen: gate.fen });
  },
  spend_above_subsidy(gate, { spendFen }, setFen, fullFen) {
    if (spendFen > fullFen) return null;
    return step("spend_not_above_subsidy", { fen: spendFen, least_fen: fullFen });
  },
  services(gate, { kase }) {
    const service = kase.service ?? "eat_in";
    if (gate.services.includes(service)) return null;
    const allowed = listed(gate.services.map((each) => SERVICES[each]));
    return step("service_not_covered", { service }, { service: SERVICES[service], allowed });
  },
  tiers(gate, { kase }) {
    if (gate.tiers.includes(kase.tier)) return null;
    return step("tier_not_covered", { tier: kase.tier ?? null });
  },
};
