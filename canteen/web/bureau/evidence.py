"""The evidence behind a finding, as pages show it: named pieces, meals, facts, papers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from canteen.canteens.licensing import PAPERS
from canteen.canteens.models import Canteen, Licence
from canteen.checks import catalogue
from canteen.checks.deciding import steps_of
from canteen.checks.explaining import Explained, explain
from canteen.checks.models import STATES, VERDICTS, Suspicion
from canteen.db import db
from canteen.elders import seeing
from canteen.elders.models import CARE_LEVELS, CATEGORIES, STATUSES, Elder, ElderFact
from canteen.orders.models import SERVICES, Order
from canteen.settlements import problems
from canteen.subsidies.models import CAUSES
from canteen.territory.actors import Actor
from canteen.web import looks
from canteen.web.bureau.door import asked_page
from canteen.web.grounds import meals
from canteen.words import Text

HOW = {
    "card": Text("刷卡", "by card"), "list": Text("按姓名查找", "found by name"),
    "other": Text("未刷卡", "no card"),
}
FACTS = {
    "category": Text("身份", "Status"), "care_level": Text("照护等级", "Care level"),
    "disability_grade": Text("残疾等级", "Disability grade"), "status": Text("情况", "State"),
    "long_term_care": Text("长护险", "Long-term care"),
}
VALUES = {**CATEGORIES, **CARE_LEVELS, **STATUSES, "covered": Text("享受中", "covered")}
# What a piece of evidence is called; what is not here is part of the sentence already.
NAMES = {
    "meal_on": Text("用餐日", "Day of the meal"), "since_on": Text("情况生效", "True since"),
    "until_on": Text("有效期至", "Valid until"), "since_at": Text("起始", "Since"),
    "recorded_at": Text("录入时间", "Recorded"), "registered_at": Text("登记时间", "Registered"),
    "age": Text("年龄", "Age"), "group": Text("政策类别", "Group of the policy"),
    "household": Text("户籍地", "Household"), "fact": Text("情况", "Fact"),
    "meals": Text("补贴餐数", "Subsidised meals"), "elders": Text("老人数", "Elders"),
    "before": Text("此前已有", "Meals before it"), "most": Text("上限", "Cap"),
    "given_fen": Text("已给补贴(元)", "Given (yuan)"), "due_fen": Text("应给(元)", "Due (yuan)"),
    "metres": Text("两家相距(米)", "Metres between"),
    "minutes": Text("相隔(分钟)", "Minutes between"),
    "other_order_id": Text("另一餐单号", "The other meal no."),
    "other_elder_id": Text("另一老人编号", "The other elder no."),
    "canteens": Text("食堂数", "Canteens"), "from_on": Text("自", "From"),
    "from_at": Text("自", "From"), "seconds": Text("历时(秒)", "Seconds"),
    "sold_at": Text("售出时间", "Sold at"), "days": Text("相差天数", "Days apart"),
    "late": Text("收餐前售出", "Sold just before closing"), "exact": Text("恰好相符", "Exactly so"),
    "share_bp": Text("占比", "Share"), "peers_bp": Text("同类平均", "Peers' mean"),
    "closed_for": Text("歇业原因", "Closed for"), "portions": Text("备餐份数", "Cooked"),
    "sold": Text("售出份数", "Sold"), "seats": Text("座位", "Seats"),
    "eaten_in": Text("堂食人次", "Eaten in"), "tier": Text("等级", "Tier"),
    "service": Text("方式", "How"), "list_fen": Text("餐价(元)", "Price (yuan)"),
    "set_fen": Text("标准套餐价(元)", "Standard set (yuan)"),
    "back_fen": Text("退掉(元)", "Taken back (yuan)"),
    "menu_fen": Text("菜单价(元)", "Menu price (yuan)"),
    "lines_fen": Text("菜品合计(元)", "Dishes together (yuan)"),
    "price_fen": Text("售价(元)", "Sold at (yuan)"), "usual_fen": Text("平时(元)", "Usual (yuan)"),
    "dish": Text("菜品", "Dish"), "perfect": Text("次次用满", "Used every time"),
    "orders": Text("总份数", "Meals sold"), "pairs": Text("成对老人", "Pairs"),
    "user": Text("账号", "Account no."), "without": Text("没有刷卡", "Without card"),
    "sent_at": Text("送出", "Sent out"), "served_at": Text("签收", "Signed for"),
    "hours": Text("小时", "Hours"), "number": Text("收银机编号", "Number at the till"),
    "till": Text("收银机", "Till"), "head": Text("已收到第几号", "Received up to"),
    "missing": Text("缺少", "Missing"), "alarm": Text("报警", "Alarm"),
    "alarm_at": Text("报警时间", "Alarm since"), "kept": Text("断网售出", "Without network"),
    "withdrawn_at": Text("停用时间", "Withdrawn"), "sales": Text("售出", "Sales"),
    "refunds": Text("退款次数", "Refunds"), "rate_bp": Text("退款率", "Refund rate"),
    "others_bp": Text("其他人", "Others"), "refund_fen": Text("退款(元)", "Refunded (yuan)"),
    "operator": Text("另一企业", "The other enterprise"),
    "account_fen": Text("打到账户(元)", "To the account (yuan)"),
    "months": Text("比较月数", "Months compared"), "mean": Text("平均", "Mean"),
    "peers": Text("同类食堂", "Peers"), "street": Text("街道", "Street"),
    "meal": Text("餐次", "Meal"),
}


def finding(by: Actor, suspicion: Suspicion) -> dict[str, Any]:
    """Everything on the page of one finding: the sentence, its pieces, the meals, the story."""
    told = explain(suspicion)
    looks.note("suspicion", suspicion.id)
    looks.note("elder", *watched(by, suspicion, told))
    check = catalogue.BY_CODE.get(suspicion.code)
    page = asked_page()
    rows, total = problems.meals_behind(suspicion, page=page)
    return {
        "finding": suspicion, "told": told, "check": check, "pieces": pieces(told),
        "canteen": db.session.get_one(Canteen, suspicion.canteen_id), "meals": rows,
        "meals_total": total, "page": page, "last": -(-total // problems.MEALS),
        "reachable": reachable(by, [row.order.id for row in rows]),
        "facts": facts(by, suspicion, told), "papers": papers(suspicion),
        "steps": steps_of(suspicion.id), **words(),
    }  # fmt: skip


def words() -> dict[str, Any]:
    """The word tables the pages of findings use."""
    return {
        "states": STATES, "verdicts": VERDICTS, "how": HOW, "causes": CAUSES,
        "services": SERVICES, "paper_words": PAPERS, "explain": explain,
        "checks": catalogue.BY_CODE, "fact_kinds": FACTS, "fact_values": VALUES,
    }  # fmt: skip


def names(groups: Iterable[problems.Group]) -> dict[int, str]:
    """The elders of the findings listed, by their id."""
    wanted = {one.elder_id for group in groups for one in group.findings if one.elder_id}
    rows = db.session.execute(sa.select(Elder.id, Elder.name).where(Elder.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def sayings(groups: Iterable[problems.Group]) -> dict[int, str]:
    """What the canteens said last of the findings listed, by the finding's id."""
    return problems.said_of([one.id for group in groups for one in group.findings])


def pieces(told: Explained) -> list[tuple[Text, Text]]:
    """The pieces of evidence with their names, those a reader can use."""
    return [(NAMES[name], value) for name, value in told.evidence.items() if name in NAMES]


def reachable(by: Actor, order_ids: list[int]) -> set[int]:
    """Which of these meals the reader may open: of another ground only what the finding says."""
    return set(db.session.scalars(sa.select(Order.id).where(Order.id.in_(order_ids), meals(by))))


def watched(by: Actor, suspicion: Suspicion, told: Explained) -> list[int]:
    """The elders of a finding about persons whose register this reader is shown."""
    check = catalogue.BY_CODE.get(suspicion.code)
    if check is None or check.family != "people":
        return []
    mine = sa.select(Elder.id).where(Elder.id.in_(told.elder_ids), seeing.visible(by))
    return list(db.session.scalars(mine))


def facts(by: Actor, suspicion: Suspicion, told: Explained) -> list[tuple[Elder, ElderFact]]:
    """What the register says of the elders of a finding about persons, with its dates."""
    rows = db.session.execute(
        sa.select(Elder, ElderFact).join(ElderFact, ElderFact.elder_id == Elder.id)
        .where(Elder.id.in_(watched(by, suspicion, told)))
        .order_by(Elder.id, ElderFact.valid_from.desc(), ElderFact.id)
    )  # fmt: skip
    return [(row[0], row[1]) for row in rows]


def papers(suspicion: Suspicion) -> list[Licence]:
    """The canteen's papers, where the finding is about them."""
    if "licence" not in suspicion.code and suspicion.code != "agreement_expired":
        return []
    return list(
        db.session.scalars(
            sa.select(Licence).where(Licence.canteen_id == suspicion.canteen_id)
            .order_by(Licence.kind, Licence.valid_from)
        )
    )  # fmt: skip
