// Every sentence and name a quote is told in. Written by `python -m scripts.sentences` from
// canteen/subsidies/explaining.py: change it there, then write this file again.

export const WEEKDAYS_ZH = "一二三四五六日";

export const WEEKDAYS_EN = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

export const MONTHS_EN = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

export const GROUNDS = ["group_matched", "account", "cap_month_beyond", "cap_week_beyond", "cap_day_beyond", "cap_meal_beyond", "left_this_week", "left_this_month", "layer_elsewhere"];

export const MEALS = {
  __proto__: null,
  breakfast: {
    zh: "早餐",
    en: "breakfast",
  },
  lunch: {
    zh: "午餐",
    en: "lunch",
  },
  dinner: {
    zh: "晚餐",
    en: "dinner",
  },
};

export const SERVICES = {
  __proto__: null,
  eat_in: {
    zh: "堂食",
    en: "eating in",
  },
  pick_up: {
    zh: "自取",
    en: "pick-up",
  },
  delivery: {
    zh: "送餐",
    en: "delivery",
  },
};

export const CARE_LEVELS = {
  __proto__: null,
  mild: {
    zh: "轻度",
    en: "mild",
  },
  moderate: {
    zh: "中度",
    en: "moderate",
  },
  severe: {
    zh: "重度",
    en: "severe",
  },
};

export const FUNDERS = {
  __proto__: null,
  city: {
    zh: "市级",
    en: "the city",
  },
  district: {
    zh: "区级",
    en: "the district",
  },
  street: {
    zh: "街道(镇)",
    en: "the street or town",
  },
};

export const DAYS = {
  __proto__: null,
  weekdays: {
    zh: "只补周一至周五",
    en: "only Monday to Friday are subsidised",
  },
  working_days: {
    zh: "只补工作日",
    en: "only working days are subsidised",
  },
};

export const PLACES = {
  __proto__: null,
  home_district: {
    zh: "区",
    en: "district",
  },
  home_street: {
    zh: "镇街",
    en: "street or town",
  },
};

export const CATEGORIES = {
  __proto__: null,
  visiting_care: {
    zh: "探访关爱",
    en: "the visiting-care list",
  },
  home_care_subsidy: {
    zh: "居家养老服务补贴",
    en: "the home-care subsidy",
  },
  minimum_living: {
    zh: "低保",
    en: "the minimum living allowance",
  },
  minimum_living_margin: {
    zh: "低保边缘",
    en: "the margin of the minimum living allowance",
  },
  low_income: {
    zh: "低收入",
    en: "low income",
  },
  disability_allowance: {
    zh: "困难残疾人生活补贴",
    en: "the hardship disability allowance",
  },
};

export const LACKING = {
  __proto__: null,
  min_age: {
    zh: "须年满{least}周岁，现{age}周岁",
    en: "aged {least} or over, now {age}",
  },
  max_age: {
    zh: "须不超过{most}周岁，现{age}周岁",
    en: "aged {most} at most, now {age}",
  },
  household: {
    zh: "须有当地户籍",
    en: "needs local household registration",
  },
  all_categories: {
    zh: "须为{categories}",
    en: "needs {categories}",
  },
  any_categories: {
    zh: "须为{categories}之一",
    en: "needs {categories}",
  },
  care_level: {
    zh: "失能等级须为{levels}",
    en: "needs care level {levels}",
  },
  disability_grade: {
    zh: "残疾等级须为{grades}级",
    en: "needs disability grade {grades}",
  },
};

export const SENTENCES = {
  __proto__: null,
  list_price: {
    kind: "price",
    zh: "餐费{fen}元",
    en: "The meal costs {fen} yuan",
  },
  canteen_discount: {
    kind: "price",
    zh: "食堂自己的优惠{percent}%，减{fen}元，由食堂承担",
    en: "The canteen's own discount of {percent} % takes off {fen} yuan, borne by the canteen",
  },
  layer: {
    kind: "price",
    zh: "{title}{fen}元，由{funders}承担",
    en: "{title}: {fen} yuan, paid by {funders}",
  },
  subsidy: {
    kind: "price",
    zh: "补贴{fen}元，结账时直接减",
    en: "Subsidy of {fen} yuan, taken off at the till",
  },
  account: {
    kind: "price",
    zh: "补贴{fen}元，之后打到老人账户",
    en: "Subsidy of {fen} yuan, paid to the elder's account later",
  },
  enterprise: {
    kind: "price",
    zh: "{title}{fen}元，付给运营企业",
    en: "{title}: {fen} yuan, paid to the canteen's enterprise",
  },
  delivery: {
    kind: "price",
    zh: "{title}{fen}元，付给送餐方",
    en: "{title}: {fen} yuan, paid to the deliverer",
  },
  payable: {
    kind: "price",
    zh: "您付{fen}元",
    en: "You pay {fen} yuan",
  },
  group_matched: {
    kind: "note",
    zh: "补贴对象：{title}(现{age}周岁)",
    en: "Entitled as: {title} (aged {age})",
  },
  group_missed: {
    kind: "note",
    zh: "不属于“{title}”：{lacking}",
    en: "Not “{title}”: {lacking}",
  },
  left_this_week: {
    kind: "note",
    zh: "本周第{used}次补贴，共{cap}次",
    en: "Subsidised meal {used} of {cap} this week",
  },
  left_this_month: {
    kind: "note",
    zh: "本月第{used}次补贴，共{cap}次",
    en: "Subsidised meal {used} of {cap} this month",
  },
  status_changes_today: {
    kind: "note",
    zh: "登记状态于当天变更，这一餐可能在变更之前",
    en: "The registered status changes on this very day; the meal may have come before",
  },
  standard_set_out_of_bounds: {
    kind: "note",
    zh: "本区标准套餐{fen}元，超出允许范围{low}–{high}元",
    en: "The district's standard set of {fen} yuan lies outside {low}–{high} yuan",
  },
  policy_not_in_force: {
    kind: "note",
    zh: "按{policy}试算，该政策当天并不生效",
    en: "Tried under {policy}, which is not in force on that day",
  },
  grade_scaled: {
    kind: "note",
    zh: "按评估等次以{percent}%计",
    en: "Counted at {percent} % for the canteen's evaluation",
  },
  cap_month_beyond: {
    kind: "note",
    zh: "本月({start}起){cap}次补贴已用完，但收银机断网未能得知，补贴由补贴资金承担，不计次数",
    en: "{cap} of {cap} subsidised meals were used since {start}, but the till had no network and could not know: the programme bears the subsidy, and the meal is not counted",
  },
  cap_week_beyond: {
    kind: "note",
    zh: "本周({start}起){cap}次补贴已用完，但收银机断网未能得知，补贴由补贴资金承担，不计次数",
    en: "{cap} of {cap} subsidised meals were used since {start}, but the till had no network and could not know: the programme bears the subsidy, and the meal is not counted",
  },
  cap_day_beyond: {
    kind: "note",
    zh: "当天{cap}次补贴已用过，但收银机断网未能得知，补贴由补贴资金承担，不计次数",
    en: "{cap} of {cap} subsidised meals were used that day, but the till had no network and could not know: the programme bears the subsidy, and the meal is not counted",
  },
  cap_meal_beyond: {
    kind: "note",
    zh: "当天{meal}的{cap}次补贴已用过，但收银机断网未能得知，补贴由补贴资金承担，不计次数",
    en: "{cap} of {cap} subsidised meals were used for {meal} that day, but the till had no network and could not know: the programme bears the subsidy, and the meal is not counted",
  },
  no_elder: {
    kind: "refusal",
    zh: "没有识别到登记的老人，按原价",
    en: "No registered elder shown: no subsidy",
  },
  deceased: {
    kind: "refusal",
    zh: "登记为已去世，不能再补贴",
    en: "Registered as deceased; no subsidy is paid",
  },
  moved_away: {
    kind: "refusal",
    zh: "登记为已迁出，不再补贴",
    en: "Registered as moved away; no subsidy is paid",
  },
  in_institution: {
    kind: "refusal",
    zh: "住在养老机构期间不享受补贴",
    en: "No subsidy while living in a care institution",
  },
  long_term_care: {
    kind: "refusal",
    zh: "享受长期护理保险期间不享受补贴",
    en: "No subsidy while covered by long-term-care insurance",
  },
  not_eligible: {
    kind: "refusal",
    zh: "暂不在补贴对象范围内：{nearest}",
    en: "Not among those entitled: {nearest}",
  },
  meal_not_covered: {
    kind: "refusal",
    zh: "{meal}没有补贴",
    en: "There is no subsidy for {meal}",
  },
  day_not_covered: {
    kind: "refusal",
    zh: "{on}没有补贴：{rule}，{next}可用",
    en: "No subsidy on {on}: {rule}; next on {next}",
  },
  cap_month: {
    kind: "refusal",
    zh: "本月({start}起){cap}次补贴已用完，{next}起可再用",
    en: "{cap} of {cap} subsidised meals used since {start}; next from {next}",
  },
  cap_week: {
    kind: "refusal",
    zh: "本周({start}起){cap}次补贴已用完，{next}起可再用",
    en: "{cap} of {cap} subsidised meals used since {start}; next from {next}",
  },
  cap_day: {
    kind: "refusal",
    zh: "今天{cap}次补贴已用过，{next}可再用",
    en: "{cap} of {cap} subsidised meals used today; next from {next}",
  },
  cap_meal: {
    kind: "refusal",
    zh: "今天{meal}的{cap}次补贴已用过",
    en: "{cap} of {cap} subsidised meals used for {meal} today",
  },
  price_below_standard_set: {
    kind: "refusal",
    zh: "餐费{fen}元，不到本区标准套餐{least}元",
    en: "{fen} yuan is below the district's standard set of {least} yuan",
  },
  spend_not_above_subsidy: {
    kind: "refusal",
    zh: "消费{fen}元，要超过补贴{least}元才能用",
    en: "A spend of {fen} yuan must be more than the subsidy of {least} yuan",
  },
  spend_below_threshold: {
    kind: "refusal",
    zh: "消费{fen}元，满{least}元才有补贴",
    en: "A spend of {fen} yuan does not reach {least} yuan",
  },
  service_not_covered: {
    kind: "refusal",
    zh: "{service}没有补贴，可选：{allowed}",
    en: "There is no subsidy for {service}, only for {allowed}",
  },
  tier_not_covered: {
    kind: "refusal",
    zh: "该级别食堂没有补贴",
    en: "There is no subsidy at a canteen of this tier",
  },
  layer_elsewhere: {
    kind: "refusal",
    zh: "{title}不计：在户籍所在{place}以外用餐",
    en: "{title} is lost: the meal is taken outside the {place} of the household",
  },
  layer_not_here: {
    kind: "refusal",
    zh: "{title}不适用于这一餐",
    en: "{title} does not apply to this meal",
  },
  layer_nothing: {
    kind: "refusal",
    zh: "{title}没有剩余可补",
    en: "{title}: nothing is left to pay",
  },
  nothing_left_to_pay: {
    kind: "refusal",
    zh: "没有需要补贴的金额",
    en: "Nothing is left to subsidise",
  },
};
