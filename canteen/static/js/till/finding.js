// Finding a regular without the network, by a few bits of a keyed hash or by their name.
import { short } from "./keys.js";
import { refusal } from "./refusals.js";

const CARD = /^8\d{10}$/;
const RIC = /^\d{17}[\dX]$/;
const PHONE = /^1\d{10}$/;
const MOST = 8;
const BITS = { card: 24, ric: 12, phone: 14 };
const NEXT = [
  "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
  "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
];

// {found, sure, local: true, card}: `card` is a good number nobody here has. Only a card says
// surely who it is; of the other numbers too few bits are known. Throws Refusal.
export async function findLocal(text, pack, key) {
  const given = text.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase();
  const answer = (found, more = {}) =>
    ({ found: found.slice(0, MOST), sure: false, local: true, card: null, ...more });
  if (CARD.test(given)) {
    if (!soundCard(given)) throw refusal("bad_card_number");
    const mark = await short(key, `card:${given}`, BITS.card);
    const found = pack.elders.filter((one) => one.cards.includes(mark));
    if (!found.length && pack.elders.some((one) => one.lost.includes(mark))) {
      throw refusal("card_lost");
    }
    return answer(found, found.length ? { sure: found.length === 1 } : { card: given });
  }
  if (RIC.test(given)) {
    const mark = await short(key, `ric:${given}`, BITS.ric);
    return answer(pack.elders.filter((one) => one.ric === mark));
  }
  if (PHONE.test(given)) {
    const mark = await short(key, `phone:${given}`, BITS.phone);
    return answer(pack.elders.filter((one) => one.phone === mark));
  }
  if (/^\d{3,5}[\dX]$/.test(given)) throw refusal("tail_needs_network");
  if (given.length < 2 || /^\d+$/.test(given)) return answer([]);
  return answer(named(text.normalize("NFKC").trim(), given.toLowerCase(), pack.elders));
}

// By the beginning of a name or of its initials; whole ones first.
function named(name, letters, elders) {
  const fits = elders.filter(
    (one) => one.name.startsWith(name) || one.initials.some((had) => had.startsWith(letters)),
  );
  const whole = (one) => one.name === name || one.initials.includes(letters);
  return [...fits.filter(whole), ...fits.filter((one) => !whole(one))];
}

// Damm's check digit: finds every wrong digit and every swap of neighbours.
export function soundCard(number) {
  let state = 0;
  for (const digit of number) state = Number(NEXT[state][digit]);
  return state === 0;
}
