// Fen as the server counts them: whole numbers only, and the same two roundings.
// The largest product, ten thousand yuan at 20000 basis points, stays far below 2^53.
const BASIS = 10_000;

// Python's // for whole numbers ≥ 0, without ever making a fraction.
function wholes(number, by) {
  return (number - (number % by)) / by;
}

// A rate in basis points of an amount ≥ 0, half a fen rounded up.
export function takeRate(fen, rateBp) {
  return wholes(fen * rateBp + BASIS / 2, BASIS);
}

// An amount split by weights, to the fen: what is left over goes to those who lost most.
export function shareOut(totalFen, weights) {
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  if (whole <= 0) throw new RangeError("weights must sum to more than nothing");
  const parts = weights.map((weight) => wholes(totalFen * weight, whole));
  const lost = weights.map((weight) => (totalFen * weight) % whole);
  const left = totalFen - parts.reduce((sum, part) => sum + part, 0);
  const byLoss = [...weights.keys()].sort((a, b) => lost[b] - lost[a] || a - b);
  for (const i of byLoss.slice(0, left)) parts[i] += 1;
  return parts;
}

// The lowest and highest standard set a district may choose, rounded inwards.
export function setBounds(standardSet) {
  const { default_fen: fen, vary_bp: vary = 0 } = standardSet;
  const low = wholes(fen * (BASIS - vary) + BASIS - 1, BASIS);
  return [low, wholes(fen * (BASIS + vary), BASIS)];
}

// 130050 → "1,300.50".
export function yuan(fen) {
  const size = Math.abs(fen);
  const whole = String(wholes(size, 100)).replace(/\B(?=(\d{3})+$)/g, ",");
  return `${fen < 0 ? "−" : ""}${whole}.${String(size % 100).padStart(2, "0")}`;
}

// A rate as people write it: 1250 → "12.5".
export function percent(rateBp) {
  const rest = String(rateBp % 100).padStart(2, "0").replace(/0+$/, "");
  return `${wholes(rateBp, 100)}${rest && "."}${rest}`;
}
