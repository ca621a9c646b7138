"""The sentences of a quote: each step's code with its words in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from canteen.money import yuan
from canteen.subsidies.cases import Quote, Step
from canteen.subsidies.parts import Conditions
from canteen.words import Text

WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS_EN = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
MEALS = {
    "breakfast": Text("早餐", "breakfast"),
    "lunch": Text("午餐", "lunch"),
    "dinner": Text("晚餐", "dinner"),
}
SERVICES = {
    "eat_in": Text("堂食", "eating in"),
    "pick_up": Text("自取", "pick-up"),
    "delivery": Text("送餐", "delivery"),
}
CARE_LEVELS = {
    "mild": Text("轻度", "mild"),
    "moderate": Text("中度", "moderate"),
    "severe": Text("重度", "severe"),
}
FUNDERS = {
    "city": Text("市级", "the city"),
    "district": Text("区级", "the district"),
    "street": Text("街道(镇)", "the street or town"),
}
DAYS = {
    "weekdays": Text("只补周一至周五", "only Monday to Friday are subsidised"),
    "working_days": Text("只补工作日", "only working days are subsidised"),
}

PRICE: dict[str, Text] = {
    "list_price": Text("餐费{fen}元", "The meal costs {fen} yuan"),
    "canteen_discount": Text(
        "食堂自己的优惠{percent}%，减{fen}元，由食堂承担",
        "The canteen's own discount of {percent} % takes off {fen} yuan, borne by the canteen",
    ),
    "layer": Text("{title}{fen}元，由{funders}承担", "{title}: {fen} yuan, paid by {funders}"),
    "subsidy": Text("补贴{fen}元，结账时直接减", "Subsidy of {fen} yuan, taken off at the till"),
    "account": Text(
        "补贴{fen}元，之后打到老人账户", "Subsidy of {fen} yuan, paid to the elder's account later"
    ),
    "enterprise": Text(
        "{title}{fen}元，付给运营企业", "{title}: {fen} yuan, paid to the canteen's enterprise"
    ),
    "delivery": Text("{title}{fen}元，付给送餐方", "{title}: {fen} yuan, paid to the deliverer"),
    "payable": Text("您付{fen}元", "You pay {fen} yuan"),
}
NOTE: dict[str, Text] = {
    "group_matched": Text("补贴对象：{title}(现{age}周岁)", "Entitled as: {title} (aged {age})"),
    "group_missed": Text("不属于“{title}”：{lacking}", "Not “{title}”: {lacking}"),
    "left_this_week": Text(
        "本周第{used}次补贴，共{cap}次", "Subsidised meal {used} of {cap} this week"
    ),
    "left_this_month": Text(
        "本月第{used}次补贴，共{cap}次", "Subsidised meal {used} of {cap} this month"
    ),
    "status_changes_today": Text(
        "登记状态于当天变更，这一餐可能在变更之前",
        "The registered status changes on this very day; the meal may have come before",
    ),
    "standard_set_out_of_bounds": Text(
        "本区标准套餐{fen}元，超出允许范围{low}–{high}元",
        "The district's standard set of {fen} yuan lies outside {low}–{high} yuan",
    ),
    "policy_not_in_force": Text(
        "按{policy}试算，该政策当天并不生效",
        "Tried under {policy}, which is not in force on that day",
    ),
    "grade_scaled": Text(
        "按评估等次以{percent}%计", "Counted at {percent} % for the canteen's evaluation"
    ),
    "cap_month_beyond": Text(
        "本月({start}起){cap}次补贴已用完，但收银机断网未能得知，补贴由补贴资金承担，不计次数",
        "{cap} of {cap} subsidised meals were used since {start}, but the till had no network and"
        " could not know: the programme bears the subsidy, and the meal is not counted",
    ),
    "cap_week_beyond": Text(
        "本周({start}起){cap}次补贴已用完，但收银机断网未能得知，补贴由补贴资金承担，不计次数",
        "{cap} of {cap} subsidised meals were used since {start}, but the till had no network and"
        " could not know: the programme bears the subsidy, and the meal is not counted",
    ),
    "cap_day_beyond": Text(
        "当天{cap}次补贴已用过，但收银机断网未能得知，补贴由补贴资金承担，不计次数",
        "{cap} of {cap} subsidised meals were used that day, but the till had no network and"
        " could not know: the programme bears the subsidy, and the meal is not counted",
    ),
    "cap_meal_beyond": Text(
        "当天{meal}的{cap}次补贴已用过，但收银机断网未能得知，补贴由补贴资金承担，不计次数",
        "{cap} of {cap} subsidised meals were used for {meal} that day, but the till had no"
        " network and could not know: the programme bears the subsidy, and the meal is not counted",
    ),
}
REFUSAL: dict[str, Text] = {
    "no_elder": Text("没有识别到登记的老人，按原价", "No registered elder shown: no subsidy"),
    "deceased": Text("登记为已去世，不能再补贴", "Registered as deceased; no subsidy is paid"),
    "moved_away": Text("登记为已迁出，不再补贴", "Registered as moved away; no subsidy is paid"),
    "in_institution": Text(
        "住在养老机构期间不享受补贴", "No subsidy while living in a care institution"
    ),
    "long_term_care": Text(
        "享受长期护理保险期间不享受补贴", "No subsidy while covered by long-term-care insurance"
    ),
    "not_eligible": Text("暂不在补贴对象范围内：{nearest}", "Not among those entitled: {nearest}"),
    "meal_not_covered": Text("{meal}没有补贴", "There is no subsidy for {meal}"),
    "day_not_covered": Text(
        "{on}没有补贴：{rule}，{next}可用", "No subsidy on {on}: {rule}; next on {next}"
    ),
    "cap_month": Text(
        "本月({start}起){cap}次补贴已用完，{next}起可再用",
        "{cap} of {cap} subsidised meals used since {start}; next from {next}",
    ),
    "cap_week": Text(
        "本周({start}起){cap}次补贴已用完，{next}起可再用",
        "{cap} of {cap} subsidised meals used since {start}; next from {next}",
    ),
    "cap_day": Text(
        "今天{cap}次补贴已用过，{next}可再用",
        "{cap} of {cap} subsidised meals used today; next from {next}",
    ),
    "cap_meal": Text(
        "今天{meal}的{cap}次补贴已用过", "{cap} of {cap} subsidised meals used for {meal} today"
    ),
    "price_below_standard_set": Text(
        "餐费{fen}元，不到本区标准套餐{least}元",
        "{fen} yuan is below the district's standard set of {least} yuan",
    ),
    "spend_not_above_subsidy": Text(
        "消费{fen}元，要超过补贴{least}元才能用",
        "A spend of {fen} yuan must be more than the subsidy of {least} yuan",
    ),
    "spend_below_threshold": Text(
        "消费{fen}元，满{least}元才有补贴", "A spend of {fen} yuan does not reach {least} yuan"
    ),
    "service_not_covered": Text(
        "{service}没有补贴，可选：{allowed}",
        "There is no subsidy for {service}, only for {allowed}",
    ),
    "tier_not_covered": Text("该级别食堂没有补贴", "There is no subsidy at a canteen of this tier"),
    "layer_elsewhere": Text(
        "{title}不计：在户籍所在{place}以外用餐",
        "{title} is lost: the meal is taken outside the {place} of the household",
    ),
    "layer_not_here": Text("{title}不适用于这一餐", "{title} does not apply to this meal"),
    "layer_nothing": Text("{title}没有剩余可补", "{title}: nothing is left to pay"),
    "nothing_left_to_pay": Text("没有需要补贴的金额", "Nothing is left to subsidise"),
}
LACKING: dict[str, Text] = {
    "min_age": Text("须年满{least}周岁，现{age}周岁", "aged {least} or over, now {age}"),
    "max_age": Text("须不超过{most}周岁，现{age}周岁", "aged {most} at most, now {age}"),
    "household": Text("须有当地户籍", "needs local household registration"),
    "all_categories": Text("须为{categories}", "needs {categories}"),
    "any_categories": Text("须为{categories}之一", "needs {categories}"),
    "care_level": Text("失能等级须为{levels}", "needs care level {levels}"),
    "disability_grade": Text("残疾等级须为{grades}级", "needs disability grade {grades}"),
}
SENTENCES = {
    code: (kind, text)
    for kind, table in (("price", PRICE), ("note", NOTE), ("refusal", REFUSAL))
    for code, text in table.items()
}

# What the one sentence of a subsidised meal is put together from, in this order.
GROUNDS = (
    "group_matched", "account", "cap_month_beyond", "cap_week_beyond", "cap_day_beyond",
    "cap_meal_beyond", "left_this_week", "left_this_month", "layer_elsewhere",
)  # fmt: skip


def step(code: str, params: Mapping[str, Any] | None = None, **words: Any) -> Step:
    """A step with its sentence: `params` are for machines, `words` fill the sentence as well.

    Among the values of the sentence, dates and keys ending in `_fen` are shown as people write
    them; a key `x_fen` fills the placeholder `{x}`, plain `fen` stays `fen`.
    """
    kind, sentence = SENTENCES[code]
    given = dict(params or {})
    shown = {_placeholder(key): _shown(key, value) for key, value in (given | words).items()}
    machine = {k: v.isoformat() if isinstance(v, date) else v for k, v in given.items()}
    return Step(code, machine, sentence.format(**shown), kind)


def why(quote: Quote) -> Text:
    """The one sentence that matters most: why there is no subsidy, or on what ground there is."""
    refusals = [s for s in quote.steps if s.code in REFUSAL and not s.code.startswith("layer_")]
    if not (quote.uses_quota or quote.subsidy_fen or quote.account_fen):
        lost = refusals or [s for s in quote.steps if s.kind == "refusal"]
        return lost[0].text if lost else quote.steps[-1].text
    parts = [s.text for code in GROUNDS for s in quote.steps if s.code == code]
    return Text("；".join(p.zh for p in parts), ". ".join(p.en for p in parts))


def listed(words: Sequence[Text], joint: str = "and") -> Text:
    """Several names as one: 甲、乙 / one, two and three."""
    *first, last = words
    english = f"{', '.join(w.en for w in first)} {joint} {last.en}" if first else last.en
    return Text("、".join(w.zh for w in words), english)


def long_day(on: date) -> Text:
    """A day in full words: 11月16日周一 / Monday 16 November."""
    weekday = on.weekday()
    return Text(
        f"{on.month}月{on.day}日周{WEEKDAYS_ZH[weekday]}",
        f"{WEEKDAYS_EN[weekday]} {on.day} {MONTHS_EN[on.month - 1]}",
    )


def lacking_words(
    asked: Conditions, lacking: tuple[str, ...], age: int, titles: Mapping[str, Text]
) -> Text:
    """What a person lacks for a group, in one phrase."""

    def named(key: str) -> Text | str:
        codes = getattr(asked, key) if key.endswith("categories") else ()
        names = [titles.get(code, Text(code, code)) for code in codes]
        return listed(names, "or" if key.startswith("any") else "and") if names else ""

    phrases = [
        LACKING[key].format(
            least=asked.min_age,
            most=asked.max_age,
            age=age,
            categories=named(key),
            levels=listed([CARE_LEVELS[n] for n in asked.care_levels], "or")
            if key == "care_level"
            else "",
            grades="/".join(str(grade) for grade in asked.disability_grades),
        )
        for key in lacking
    ]
    return Text("，".join(p.zh for p in phrases), "; ".join(p.en for p in phrases))


def percent(rate_bp: int) -> str:
    """A rate in basis points as people write it: 1250 → "12.5"."""
    return f"{rate_bp / 100:g}"


def _placeholder(key: str) -> str:
    return key.removesuffix("_fen") if key.endswith("_fen") else key


def _shown(key: str, value: Any) -> Any:
    if isinstance(value, date):
        return long_day(value)
    if (key == "fen" or key.endswith("_fen")) and isinstance(value, int):
        return yuan(value)
    return value
