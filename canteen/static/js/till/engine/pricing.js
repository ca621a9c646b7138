// What a meal costs everyone, by the same rules as the server and from the same policy text.
// docs/policies.md says what the rules are; a change to one engine is a change to both.
import { amountOf, elsewhere, forGroup } from "./amounts.js";
import { coveredDay, nextCoveredDay, quotaKeys, renewedOn } from "./calendar.js";
import { ageOn, excluded, lacks, match } from "./eligibility.js";
import { lackingWords, listed, step, text, why } from "./explaining.js";
import { gateRefusal } from "./gates.js";
import { percent, setBounds, shareOut, takeRate } from "./money.js";
import { CATEGORIES, DAYS, FUNDERS, MEALS } from "./sentences.js";

export { ageOn, quotaKeys, why };

// Price one meal: `policy` is the canonical body, `kase` a case, both with defaults left out;
// `working` says of some days whether they are working days. Amounts in fen.
export function quote(policy, kase, { working = {} } = {}) {
  return new Pricing(policy, kase, working).run();
}

// Who pays what, by side: {elder: {city: 150, …}, enterprise: …, delivery: …}.
export function funders(found) {
  const sides = { elder: {}, enterprise: {}, delivery: {} };
  for (const { side, funder, amount_fen } of found.shares) sides[side][funder] = amount_fen;
  return sides;
}

// One run of the rules over one case; collects the steps as it goes.
class Pricing {
  constructor(policy, kase, working) {
    this.policy = policy;
    this.kase = kase;
    this.working = working;
    this.steps = [];
    this.shares = new Map();
    this.beyond = false; // whether the meal was given although a cap was reached
    this.discountFen = takeRate(kase.list_fen, kase.discount_bp ?? 0);
    this.spendFen = kase.list_fen - this.discountFen;
    this.setFen = kase.standard_set_fen ?? policy.standard_set?.default_fen ?? null;
    this.age = kase.elder ? ageOn(kase.elder.birth_date, kase.on) : 0;
    this.toAccount = Boolean(kase.to_account) || policy.delivered === "account";
  }

  run() {
    this.prices();
    const group = this.group();
    let [elderFen, enterpriseFen, deliveryFen] = [0, 0, 0];
    if (group && this.permitted(group)) {
      [elderFen, enterpriseFen, deliveryFen] = this.parts(group);
    }
    const subsidyFen = this.toAccount ? 0 : elderFen;
    const payableFen = this.spendFen - subsidyFen;
    this.say("payable", { fen: payableFen });
    return {
      list_fen: this.kase.list_fen,
      discount_fen: this.discountFen,
      subsidy_fen: subsidyFen,
      account_fen: elderFen - subsidyFen,
      payable_fen: payableFen,
      enterprise_fen: enterpriseFen,
      delivery_fen: deliveryFen,
      shares: [...this.shares.values()],
      group: group?.code ?? null,
      uses_quota: elderFen + enterpriseFen > 0 && !this.beyond,
      steps: this.steps,
    };
  }

  say(code, params, words) {
    this.steps.push(step(code, params, words));
  }

  prices() {
    const { policy, kase } = this;
    const ended = policy.effective_to && kase.on > policy.effective_to;
    if (kase.on < policy.effective_from || ended) {
      this.say("policy_not_in_force", { policy: `${policy.name}-${policy.version}` });
    }
    this.say("list_price", { fen: kase.list_fen });
    if (this.discountFen) {
      this.say(
        "canteen_discount",
        { fen: this.discountFen, rate_bp: kase.discount_bp },
        { percent: percent(kase.discount_bp) },
      );
    }
    if (policy.standard_set && kase.standard_set_fen != null) {
      const [low, high] = setBounds(policy.standard_set);
      const fen = kase.standard_set_fen;
      if (fen < low || fen > high) {
        this.say("standard_set_out_of_bounds", { fen, low_fen: low, high_fen: high });
      }
    }
  }

  meal(group) {
    return { kase: this.kase, spendFen: this.spendFen, group, age: this.age };
  }

  // The elder's group, whether or not something else forbids the subsidy.
  group() {
    const { policy, kase, age } = this;
    if (!kase.elder) {
      this.say("no_elder");
      return null;
    }
    const { group, misses } = match(policy, kase.elder, kase.on);
    if (group) {
      this.say("group_matched", { group: group.code, age }, { title: group.title });
      return group;
    }
    const titles = Object.assign(Object.create(null), CATEGORIES);
    for (const { code, title } of policy.categories ?? []) titles[code] = title;
    for (const miss of misses) {
      miss.phrase = lackingWords(miss.group, miss.lacking, age, titles);
      // A category can be applied for, years cannot: at equal distance name the category.
      miss.distance = miss.lacking.length * 2 + (miss.lacking.includes("min_age") ? 1 : 0);
    }
    const nearest = misses.reduce((a, b) => (b.distance < a.distance ? b : a));
    this.say(
      "not_eligible",
      { age, nearest_group: nearest.group.code },
      { nearest: nearest.phrase },
    );
    for (const { group: missed, lacking, phrase } of misses) {
      this.say(
        "group_missed",
        { group: missed.code, missing: lacking },
        { title: missed.title, lacking: phrase },
      );
    }
    return null;
  }

  // Exclusions, days, caps and gates: every one that forbids is said, not only the first.
  permitted(group) {
    const before = this.steps.length;
    this.exclusions();
    this.dayAndMeal();
    this.caps();
    const full = this.layers(group).reduce((sum, { amount }) => sum + amount, 0);
    for (const gate of this.policy.gates ?? []) {
      if (!forGroup(gate.groups, group)) continue;
      const shut = gateRefusal(gate, this.meal(group), this.setFen, full);
      if (shut) this.steps.push(shut);
    }
    return !this.steps.slice(before).some(({ kind }) => kind === "refusal");
  }

  exclusions() {
    const { elder, on } = this.kase;
    for (const code of excluded(this.policy, elder, on)) this.say(code);
    const status = elder.status ?? "alive";
    if (status !== "alive" && elder.status_since === on) {
      this.say("status_changes_today", { status });
    }
  }

  dayAndMeal() {
    const { policy, working } = this;
    const { on, meal } = this.kase;
    if (!policy.meals.includes(meal)) {
      this.say("meal_not_covered", { meal }, { meal: MEALS[meal] });
    }
    if (!coveredDay(policy, on, working)) {
      const next = nextCoveredDay(policy, on, working);
      this.say("day_not_covered", { on, next }, { rule: DAYS[policy.days] });
    }
  }

  caps() {
    const { kase, policy } = this;
    const used = {
      month: kase.used_this_month, week: kase.used_this_week, day: kase.used_today,
      meal: kase.used_this_meal,
    };
    for (const { period, start, cap } of quotaKeys(policy, kase.on, kase.meal)) {
      const [kind] = period.split(":");
      if ((used[kind] ?? 0) < cap) continue;
      this.beyond = Boolean(kase.beyond_caps);
      const code = this.beyond ? `cap_${kind}_beyond` : `cap_${kind}`;
      if (kind === "meal") {
        this.say(code, { cap, meal: kase.meal }, { meal: MEALS[kase.meal] });
      } else {
        this.say(code, { cap, start, next: renewedOn(policy, kind, start, this.working) });
      }
    }
  }

  // Each layer meant for the group, its amount before what is left to pay, or why none.
  layers(group) {
    let before = 0;
    return (this.policy.layers ?? [])
      .filter((layer) => forGroup(layer.groups, group))
      .map((layer) => {
        let lost = elsewhere(layer, this.kase);
        let amount = 0;
        if (!lost) [amount, lost] = amountOf(layer.amount, this.meal(group), before);
        before += amount;
        return { layer, amount, lost };
      });
  }

  // The elder's, the enterprise's and the deliverer's amounts of a meal that is permitted.
  parts(group) {
    const { policy, kase, spendFen } = this;
    const before = this.steps.length;
    const layers = this.layers(group);
    let left = spendFen;
    for (const { layer, amount, lost } of layers) {
      const granted = Math.min(amount, left);
      left -= granted;
      if (granted) this.pay("elder", layer, granted, "layer");
      else {
        const nothing = step("layer_nothing", { part: layer.code }, { title: layer.title });
        this.steps.push(lost ?? nothing);
      }
    }
    const elderFen = spendFen - left;
    if (layers.length && !elderFen) {
      // The enterprise is paid for each subsidy granted; without one there is nothing.
      const all = this.steps.slice(before).every(({ code }) => code.startsWith("layer_"));
      if (all) this.say("nothing_left_to_pay");
      return [0, 0, 0];
    }
    if (elderFen) this.say(this.toAccount ? "account" : "subsidy", { fen: elderFen });
    if (this.beyond) {
      if (!elderFen) this.say("nothing_left_to_pay");
      return [elderFen, 0, 0];
    }
    const enterpriseFen = this.earned("enterprise", policy.enterprise, group);
    if (elderFen + enterpriseFen === 0) {
      this.say("nothing_left_to_pay");
      return [0, 0, 0];
    }
    const wanted = kase.service === "delivery";
    const deliveryFen = wanted ? this.earned("delivery", policy.delivery, group) : 0;
    this.sayLeft();
    return [elderFen, enterpriseFen, deliveryFen];
  }

  // What the enterprise or the deliverer earns for this meal.
  earned(side, parts, group) {
    const { kase, age } = this;
    let total = 0;
    for (const part of parts ?? []) {
      if (!forGroup(part.groups, group) || elsewhere(part, kase)) continue;
      if (part.who?.length && part.who.every((who) => lacks(who, kase.elder, age).length)) continue;
      let [fen, lost] = amountOf(part.amount, this.meal(group));
      if (lost) this.steps.push(lost);
      if (part.grade_scale?.length) fen = this.scaled(part, fen);
      if (fen) {
        this.pay(side, part, fen, side);
        total += fen;
      }
    }
    return total;
  }

  scaled(part, fen) {
    const grade = this.kase.grade ?? null;
    const row = part.grade_scale.find((each) => each.grade === grade);
    const rate = row ? row.bp : (part.ungraded_bp ?? 10_000);
    if (rate !== 10_000) {
      this.say("grade_scaled", { rate_bp: rate, grade }, { percent: percent(rate) });
    }
    return takeRate(fen, rate);
  }

  // How much of the week's or month's quota is used with this meal.
  sayLeft() {
    const { per_week: week, per_month: month } = this.policy.caps ?? {};
    const { used_this_week: weeks = 0, used_this_month: months = 0 } = this.kase;
    if (week) this.say("left_this_week", { used: weeks + 1, cap: week });
    if (month) this.say("left_this_month", { used: months + 1, cap: month });
  }

  // Share an amount out among a part's funders, to the fen, and say so.
  pay(side, part, fen, code) {
    const each = shareOut(fen, part.funders.map(({ share_bp = 10_000 }) => share_bp));
    const shares = {};
    part.funders.forEach(({ code: funder }, i) => {
      if (!each[i]) return;
      shares[funder] = each[i];
      const key = `${side} ${funder}`;
      const sum = this.shares.get(key) ?? { side, funder, amount_fen: 0 };
      sum.amount_fen += each[i];
      this.shares.set(key, sum);
    });
    const names = part.funders.map(({ code: name }) => FUNDERS[name] ?? text(name, name));
    this.say(code, { part: part.code, fen, shares }, { title: part.title, funders: listed(names) });
  }
}
