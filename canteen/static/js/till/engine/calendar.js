// Days as ISO texts ("2026-11-22"): which are subsidised, and when a quota begins and returns.
// Texts compare as days do; only the way to another day needs a date, always in UTC.
const DAY_MS = 86_400_000;

export function addDays(on, days) {
  return new Date(Date.parse(`${on}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

// Monday is 0, as on the server.
export function weekday(on) {
  return (new Date(`${on}T00:00:00Z`).getUTCDay() + 6) % 7;
}

export function weekStart(on) {
  return addDays(on, -weekday(on));
}

export function monthStart(on) {
  return `${on.slice(0, 8)}01`;
}

// The tablet carries no calendar of holidays: `working` comes with the pack, for some weeks.
export function coveredDay(policy, on, working) {
  const days = policy.days ?? "every_day";
  if (days === "every_day") return true;
  if (days === "working_days" && Object.hasOwn(working, on)) return working[on];
  return weekday(on) < 5;
}

export function nextCoveredDay(policy, on, working) {
  let day = on;
  while (!coveredDay(policy, day, working)) day = addDays(day, 1);
  return day;
}

// The counters a granted meal moves, in the server's order: [{period, start, cap}].
export function quotaKeys(policy, on, meal) {
  const caps = policy.caps ?? {};
  return [
    { period: "month", start: monthStart(on), cap: caps.per_month },
    { period: "week", start: weekStart(on), cap: caps.per_week },
    { period: "day", start: on, cap: caps.per_day },
    { period: `meal:${meal}`, start: on, cap: caps.per_meal },
  ].filter(({ cap }) => cap != null);
}

// The first day on which a used-up quota ("day", "week", "month") is there again.
export function renewedOn(policy, period, start, working) {
  const after = {
    day: () => addDays(start, 1),
    week: () => addDays(start, 7),
    month: () => monthStart(addDays(start, 31)),
  }[period]();
  return nextCoveredDay(policy, after, working);
}
