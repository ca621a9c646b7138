"""The catalogue as the documentation shows it, and what thresholds are called."""

from __future__ import annotations

from canteen.checks.catalogue import CHECKS
from canteen.checks.parts import FAMILIES, Check
from canteen.words import Text

HEAD = "| Check | Finds | Default | Thresholds | Why |\n|---|---|---|---|---|"
# Thresholds as people say them; a name that means something else in one check stands there.
THRESHOLDS: dict[str, Text] = {
    "age": Text("年龄满(岁)", "Age (years)"), "meals": Text("至少餐数", "Meals at least"),
    "canteens": Text("食堂数", "Canteens"), "days": Text("天数", "Days"),
    "metres_an_hour": Text("每小时最多(米)", "Metres an hour at most"),
    "metres": Text("相距至少(米)", "Metres apart at least"), "minutes": Text("分钟", "Minutes"),
    "gap_s": Text("间隔不超过(秒)", "Seconds between at most"),
    "share_bp": Text("占比(万分之)", "Share (of 10,000)"),
    "turns": Text("每座轮次", "Turns a seat"),
    "seen": Text("此前售出次数", "Times sold before"),
    "rise_bp": Text("为平时的(万分之)", "Of the usual (of 10,000)"),
    "meals_a_week": Text("每周餐数", "Meals a week"), "weeks": Text("周数", "Weeks"),
    "elders": Text("老人数", "Elders"), "orders": Text("至少份数", "Orders at least"),
    "above_bp": Text("高出同类(万分之)", "Above peers (of 10,000)"), "pairs": Text("对数", "Pairs"),
    "missing": Text("缺号数", "Numbers missing"), "hours": Text("小时", "Hours"),
    "refunds": Text("退款次数", "Refunds"), "rate_bp": Text("退款率(万分之)", "Rate (of 10,000)"),
    "times": Text("为他人的倍数", "Times the others'"),
    "within_s": Text("多少秒内", "Within seconds"),
    "months": Text("比较月数", "Months compared"), "peers": Text("同类家数", "Peers"),
    "sigmas_tenths": Text("标准差(十分之)", "Standard deviations (tenths)"),
}


def tables() -> str:
    """A heading and a table for each family, in the order of the catalogue."""
    pieces = []
    for family, title in FAMILIES.items():
        rows = [row(check) for check in CHECKS if check.family == family]
        pieces.append("\n".join((f"### {title.en} ({title.zh})", "", HEAD, *rows)))
    return "\n\n".join(pieces)


def row(check: Check) -> str:
    """The line of one check."""
    limits = ", ".join(f"{name} {value:,}" for name, value in check.thresholds.items())
    cells = (
        f"`{check.code}`", f"{check.title.en} ({check.title.zh})", check.mode, limits or "–",
        check.why.en,
    )
    return f"| {' | '.join(cells)} |"
