"""The trail of every act: found by who, what and when, and taken away with its hashes."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.access.models import User
from canteen.audit import reading
from canteen.audit.recording import record
from canteen.db import transaction
from canteen.territory.actors import Actor
from canteen.territory.models import stem
from canteen.web.bureau import trail
from canteen.web.bureau.door import DECIDERS, asked, asked_page, blueprint
from canteen.web.guards import actor, guard
from canteen.words import Text

SUBJECTS = {
    "statement": Text("结算单", "Statement"), "payout": Text("付款", "Payout"),
    "batch": Text("付款批次", "Batch"), "suspicion": Text("疑点", "Finding"),
    "order": Text("订单", "Order"), "meal": Text("餐单", "Meal"),
    "elder": Text("老人", "Elder"), "canteen": Text("食堂", "Canteen"),
    "period": Text("月份", "Month"), "user": Text("用户", "User"),
    "task": Text("后台任务", "Long work"), "bank_change": Text("账户变更", "Changed account"),
    "policy_draft": Text("政策草案", "Draft"), "policy": Text("政策", "Policy"),
    "claim": Text("补领申请", "Claim"), "judgement": Text("挂牌建议", "Proposal"),
    "true_up": Text("年度清算", "True-up"), "purse": Text("预算", "Budget"),
    "territory": Text("辖区", "Area"), "district": Text("区", "District"),
    "bank_return": Text("银行回盘", "Bank file"), "outbox": Text("待发消息", "Outbox"),
    "till": Text("收银机", "Till"), "shift": Text("班次", "Shift"),
    "dish": Text("菜品", "Dish"),
    "operator": Text("运营企业", "Operator"), "register": Text("登记册", "Register"),
    "trail": Text("操作记录", "Trail"), "day": Text("日期", "Day"),
    "statements": Text("结算单列表", "List of statements"),
    "meals": Text("补贴餐次", "Subsidised meals"), "figures": Text("数据", "Figures"),
}  # fmt: skip


def actors_of(by: Actor) -> sa.Select[Any] | None:
    """Whose acts this reader may follow: the city's everybody's, a district's those of its own."""
    if by.role == "city" or by.territory is None:
        return None
    inside = User.territory_code.startswith(stem(by.territory), autoescape=True)
    return sa.select(sa.literal("user:") + sa.cast(User.id, sa.String)).where(inside)


@blueprint.get("/trail")
@guard(*DECIDERS)
def trail_page() -> ResponseReturnValue:
    """The trail, the latest first."""
    day = _day()
    since = clock.instant(day, time(0)) if day else None
    found = reading.page(
        actors=actors_of(actor()), actor=asked("actor"), act=asked("act", trail.ACTS),
        subject=asked("subject", SUBJECTS), subject_id=asked("of"), since=since,
        until=clock.instant(day + timedelta(days=1), time(0)) if day else None,
        number=asked_page(),
    )  # fmt: skip
    return render_template(
        "bureau/trail.html", found=found, subjects=SUBJECTS, acts=trail.ACTS, day=day,
        in_words=trail.particulars, named=trail.named,
    )


@blueprint.post("/trail.jsonl")
@guard("city")
def take_trail() -> ResponseReturnValue:
    """Take the whole trail away, every record with its hash; that is recorded too."""
    with transaction():
        record(actor().label, "export", "trail", "all", {"format": "jsonl"})
    name = f"trail-{clock.business_date().isoformat()}.jsonl"
    return Response(
        stream_with_context(reading.lines()), mimetype="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _day() -> date | None:
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return None

