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
    "statement": Text("结算单", "Statements"), "payout": Text("付款", "Payouts"),
    "batch": Text("付款批次", "Batches"), "suspicion": Text("疑点", "Findings"),
    "order": Text("订单", "Orders"), "meal": Text("餐单", "Meals"),
    "elder": Text("老人", "Elders"), "canteen": Text("食堂", "Canteens"),
    "period": Text("月份", "Months"), "user": Text("用户", "Users"),
    "task": Text("后台任务", "Long work"), "bank_change": Text("账户变更", "Changed accounts"),
    "policy_draft": Text("政策草案", "Drafts"), "policy": Text("政策", "Policies"),
    "claim": Text("补领申请", "Claims"), "judgement": Text("挂牌建议", "Proposals"),
    "true_up": Text("年度清算", "True-ups"), "purse": Text("预算", "Budgets"),
    "territory": Text("辖区", "Areas"), "district": Text("区", "Districts"),
    "bank_return": Text("银行回盘", "Bank files"), "outbox": Text("待发消息", "Outbox"),
    "till": Text("收银机", "Tills"), "shift": Text("班次", "Shifts"),
    "dish": Text("菜品", "Dishes"),
    "operator": Text("运营企业", "Operators"), "register": Text("登记册", "Register"),
    "trail": Text("操作记录", "Trail"), "day": Text("日期", "Days"),
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


@blueprint.get("/trail.jsonl")
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

