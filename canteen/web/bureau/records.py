"""The trail of every act: found by who, what and when, and taken away with its hashes."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.access.models import User
from canteen.audit import reading
from canteen.audit.models import AuditRecord
from canteen.audit.recording import record
from canteen.canteens import finding as canteens
from canteen.canteens.models import Canteen
from canteen.db import transaction
from canteen.elders import seeing
from canteen.elders.models import Elder
from canteen.settlements import finding as statements
from canteen.settlements.models import Statement
from canteen.territory.actors import Actor
from canteen.territory.models import stem
from canteen.web.bureau import trail
from canteen.web.bureau.door import DECIDERS, asked, asked_page, blueprint
from canteen.web.forms import a_day
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
    "mismatch": Text("对账", "Reconciliation"),
    "bank_return": Text("银行回盘", "Bank file"), "outbox": Text("待发消息", "Outbox"),
    "till": Text("收银机", "Till"), "shift": Text("班次", "Shift"),
    "dish": Text("菜品", "Dish"), "menu": Text("菜单", "Menu"),
    "notice": Text("告知", "Notice"), "address": Text("网络地址", "Network address"),
    "operator": Text("运营企业", "Operator"), "register": Text("登记册", "Register"),
    "trail": Text("操作记录", "Trail"), "day": Text("日期", "Day"),
    "statements": Text("结算单列表", "List of statements"),
    "meals": Text("补贴餐次", "Subsidised meals"), "figures": Text("数据", "Figures"),
}  # fmt: skip


# The page of a thing the trail speaks of, and what its address calls it.
PAGES = {
    "statement": ("statement", "statement_id"), "meal": ("meal", "meal_id"),
    "order": ("meal", "meal_id"), "elder": ("elder", "elder_id"),
    "canteen": ("canteen", "canteen_id"), "suspicion": ("finding", "suspicion_id"),
    "claim": ("claim", "claim_id"), "true_up": ("true_up", "true_up_id"),
    "batch": ("show_batch", "batch_id"),
}  # fmt: skip


def seen_by(by: Actor) -> sa.ColumnElement[bool] | None:
    """What this reader may follow: the city all; a district what its own people did, and what
    anybody did to the rules, elders, canteens and statements of its ground."""
    if by.role == "city" or by.territory is None:
        return None
    r = AuditRecord
    inside = User.territory_code.startswith(stem(by.territory), autoescape=True)
    about = (
        ("elder", Elder.id, seeing.visible(by)), ("canteen", Canteen.id, canteens.visible(by)),
        ("statement", Statement.id, statements.visible(by)),
    )
    return sa.or_(
        r.actor.in_(_labels(inside)),
        r.subject.in_(("territory", "district"))
        & r.subject_id.startswith(stem(by.territory), autoescape=True),
        *(
            (r.subject == subject) & r.subject_id.in_(
                sa.select(sa.cast(column, sa.String)).where(visible)
            )
            for subject, column, visible in about
        ),
    )  # fmt: skip


def _labels(which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(sa.literal("user:") + sa.cast(User.id, sa.String)).where(which)


def page_of(subject: str, subject_id: str) -> str | None:
    """The page of what a record is about; None when there is none."""
    if subject not in PAGES or not (subject_id.isascii() and subject_id.isdigit()):
        return None
    if subject == "batch" and actor().role != "city":
        return None
    endpoint, name = PAGES[subject]
    return url_for(f"bureau.{endpoint}", **{name: int(subject_id)})


@blueprint.get("/trail")
@guard(*DECIDERS)
def trail_page() -> ResponseReturnValue:
    """The trail, the latest first."""
    day = a_day(request.args.get("day", ""))
    since = clock.instant(day, time(0)) if day else None
    who = (asked("actor") or "").strip()
    named = (User.login == who) | User.name.contains(who, autoescape=True)
    found = reading.page(
        bounds=seen_by(actor()), actor=who if ":" in who else None,
        actors=_labels(named) if who and ":" not in who else None, act=asked("act", trail.ACTS),
        subject=asked("subject", SUBJECTS), subject_id=(asked("of") or "").strip() or None,
        since=since,
        until=clock.instant(day + timedelta(days=1), time(0)) if day else None,
        number=asked_page(),
    )  # fmt: skip
    return render_template(
        "bureau/trail.html", found=found, subjects=SUBJECTS, acts=trail.ACTS, day=day,
        done=trail.done, in_words=trail.in_words, named=trail.named, page_of=page_of,
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

