// The words of a quote: a step's code with its sentence, filled in both languages.
import { weekday } from "./calendar.js";
import { yuan } from "./money.js";
import {
  CARE_LEVELS, GROUNDS, LACKING, MONTHS_EN, SENTENCES, WEEKDAYS_EN, WEEKDAYS_ZH,
} from "./sentences.js";

const DAYS_IN_PARAMS = new Set(["on", "next", "start"]);

export function text(zh, en) {
  return { zh, en };
}

// A step with its sentence: `params` are for machines, `words` fill the sentence as well.
export function step(code, params = {}, words = {}) {
  const { kind, ...sentence } = SENTENCES[code];
  const shown = {};
  for (const [key, value] of Object.entries({ ...params, ...words })) {
    shown[key.replace(/_fen$/, "")] = show(key, value);
  }
  return { code, params, kind, ...fill(sentence, shown) };
}

function show(key, value) {
  if (DAYS_IN_PARAMS.has(key)) return longDay(value);
  return (key === "fen" || key.endsWith("_fen")) && Number.isInteger(value) ? yuan(value) : value;
}

// Fill the placeholders of both sentences; a value in two languages, by language.
function fill(sentence, values) {
  const side = (language) =>
    sentence[language].replace(/\{(\w+)\}/g, (_, key) => {
      const value = values[key];
      return String(value?.[language] ?? value);
    });
  return text(side("zh"), side("en"));
}

// The one sentence that matters most: why there is no subsidy, or on what ground there is.
export function why(quote) {
  const { steps } = quote;
  if (!(quote.uses_quota || quote.subsidy_fen || quote.account_fen)) {
    const lost = steps.filter((s) => s.kind === "refusal");
    const first = lost.find((s) => !s.code.startsWith("layer_")) ?? lost[0] ?? steps.at(-1);
    return text(first.zh, first.en);
  }
  const said = GROUNDS.flatMap((code) => steps.filter((s) => s.code === code));
  return text(said.map((s) => s.zh).join("；"), said.map((s) => s.en).join(". "));
}

// Several names as one: 甲、乙 / one, two and three.
export function listed(words, joint = "and") {
  const first = words.slice(0, -1);
  const last = words.at(-1);
  const english = first.length
    ? `${first.map((w) => w.en).join(", ")} ${joint} ${last.en}`
    : last.en;
  return text(words.map((w) => w.zh).join("、"), english);
}

// A day in full words: 11月16日周一 / Monday 16 November.
export function longDay(on) {
  const [, month, day] = on.split("-").map(Number);
  const at = weekday(on);
  return text(
    `${month}月${day}日周${WEEKDAYS_ZH[at]}`,
    `${WEEKDAYS_EN[at]} ${day} ${MONTHS_EN[month - 1]}`,
  );
}

// What a person lacks for a group, in one phrase.
export function lackingWords(asked, lacking, age, titles) {
  const phrases = lacking.map((key) =>
    fill(LACKING[key], {
      least: asked.min_age ?? 0,
      most: asked.max_age,
      age,
      categories: key.endsWith("categories")
        ? listed(
            asked[key].map((code) => titles[code] ?? text(code, code)),
            key.startsWith("any") ? "or" : "and",
          )
        : "",
      levels:
        key === "care_level" ? listed(asked.care_levels.map((n) => CARE_LEVELS[n]), "or") : "",
      grades: (asked.disability_grades ?? []).join("/"),
    }),
  );
  return text(phrases.map((p) => p.zh).join("，"), phrases.map((p) => p.en).join("; "));
}
