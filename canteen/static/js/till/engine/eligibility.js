// Who a policy is for: age on the day, the group a person belongs to, and what they lack.

// Full years: a year is full on the birthday itself, for 29 February otherwise on 1 March.
export function ageOn(birthDate, on) {
  const before = on.slice(5) < birthDate.slice(5) ? 1 : 0;
  return Number(on.slice(0, 4)) - Number(birthDate.slice(0, 4)) - before;
}

// Why nobody may be subsidised in this state. A dated status counts from the day after its date.
export function excluded(policy, elder, on) {
  const since = elder.status_since ?? null;
  const status = since === null || on > since ? (elder.status ?? "alive") : "alive";
  const exclude = policy.exclude ?? [];
  const found = [];
  if (status === "deceased") found.push("deceased");
  if (status === "moved") found.push("moved_away");
  if (exclude.includes("in_institution") && (elder.in_institution || status === "in_institution")) {
    found.push("in_institution");
  }
  if (exclude.includes("long_term_care") && elder.long_term_care) found.push("long_term_care");
  return found;
}

// The first group the elder belongs to, or what every group asks in vain.
export function match(policy, elder, on) {
  const age = ageOn(elder.birth_date, on);
  const misses = [];
  for (const group of policy.eligibility) {
    const lacking = lacks(group, elder, age);
    if (!lacking.length) return { group, misses: [] };
    misses.push({ group, lacking });
  }
  return { group: null, misses };
}

// The conditions a person of this age does not meet, by the names of their keys.
export function lacks(asked, elder, age) {
  const has = new Set(elder.categories ?? []);
  const household = elder.household ?? "";
  const among = (list, value) => !list?.length || list.includes(value);
  const wrong = {
    min_age: age < (asked.min_age ?? 0),
    max_age: asked.max_age != null && age > asked.max_age,
    household:
      asked.household?.length > 0 && !asked.household.some((code) => household.startsWith(code)),
    all_categories: (asked.all_categories ?? []).some((code) => !has.has(code)),
    any_categories:
      asked.any_categories?.length > 0 && !asked.any_categories.some((code) => has.has(code)),
    care_level: !among(asked.care_levels, elder.care_level),
    disability_grade: !among(asked.disability_grades, elder.disability_grade),
  };
  return Object.keys(wrong).filter((key) => wrong[key]);
}
