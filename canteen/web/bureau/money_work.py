"""The lines of the work list about money: payouts, accounts, debts, purses, true-ups."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from flask import url_for

from canteen import clock
from canteen.adjustments import receivables as owing
from canteen.budgets import guarding
from canteen.budgets.models import TrueUp
from canteen.db import db
from canteen.money import yuan
from canteen.payouts import changing_accounts, repaying
from canteen.payouts import finding as batches
from canteen.settlements.models import Payout
from canteen.territory.actors import Actor
from canteen.web.bureau.reconciliation import still_open
from canteen.web.bureau.work_lines import Task
from canteen.words import Text, day

QUARTER = 92  # days; a first page must come at once


def failed(by: Actor, today: date, to: str) -> Task | None:
    query = sa.select(sa.func.count()).select_from(Payout).where(Payout.state == "failed")
    return Task(
        Text("笔付款失败", "Payouts that failed"),
        Text("查看原因，改好后重发", "See why, put it right and send again"),
        db.session.scalar(query) or 0, url_for(to, state="failed"), late=True,
    )  # fmt: skip


def drafts(by: Actor, today: date, to: str) -> Task | None:
    return Task(
        Text("个付款批次待放行", "Batches to release"),
        Text("由没有编制它的人放行", "By somebody who did not put it together"),
        batches.to_release(by), url_for(to),
    )  # fmt: skip


def ready(by: Actor, today: date, to: str) -> Task | None:
    count, fen = batches.ready_sums()
    return Task(
        Text("笔付款可以列入批次", "Payouts to put into a batch"),
        Text("合计 {sum} 元", "{sum} yuan together").format(sum=yuan(fen)), count, url_for(to),
    )  # fmt: skip


def mismatches(by: Actor, today: date, to: str) -> Task | None:
    since, count = still_open(by, today, QUARTER)  # older ones stand on the page itself
    return Task(
        Text("处对账不一致或未了", "Mismatches still open"),
        Text("付款、平台、银行和账本对不上的", "Where payouts, provider, bank and books differ"),
        count, url_for(to, first=since, last=today), late=True,
    )  # fmt: skip


def accounts(by: Actor, today: date, to: str) -> Task | None:
    return Task(
        Text("个收款账户变更待确认", "Changed accounts to confirm"),
        Text("由另一位同事确认，并通知原联系人", "By a second person; the old contact is told"),
        changing_accounts.waiting_count(by, clock.now()), url_for(to),
    )  # fmt: skip


def receivables(by: Actor, today: date, to: str) -> Task | None:
    late = owing.lingering(by, on=today)
    fen = sum(one.owed_fen for one in late)
    return Task(
        Text("笔欠款拖着没有抵清", "Debts that linger"),
        Text("合计 {sum} 元", "{sum} yuan together").format(sum=yuan(fen)), len(late),
        url_for(to), late=True,
    )  # fmt: skip


def repayments(by: Actor, today: date, to: str) -> Task | None:
    return Task(
        Text("笔退款待复核", "Repayments to confirm"),
        Text("由没有登记的人对照银行流水", "By somebody who did not note it"),
        repaying.waiting_count(by), url_for(to, state="noted"),
    )  # fmt: skip


def budgets(by: Actor, today: date, to: str) -> Task | None:
    short = guarding.warnings(by, on=today)
    gone = min((one.gone_on for one in short if one.gone_on), default=None)
    ends = Text("钱到{day}用完", "the first is used up {day}")
    return Task(
        Text("个资金池今年不够用", "Purses that will not last the year"),
        Text("按现在的速度", "At the present pace"), len(short), url_for(to), late=True,
        when=ends.format(day=day(gone, year=gone.year != today.year)) if gone else None,
    )  # fmt: skip


def true_ups(by: Actor, today: date, to: str) -> Task | None:
    query = sa.select(sa.func.count()).select_from(TrueUp).where(
        TrueUp.state == "draft", TrueUp.prepared_by != by.label
    )
    return Task(
        Text("份年度清算待确认", "Yearly true-ups to confirm"),
        Text("由没有编制的人确认", "By somebody who did not prepare it"),
        db.session.scalar(query) or 0, url_for(to),
    )  # fmt: skip


def true_ups_to_pay(by: Actor, today: date, to: str) -> Task | None:
    query = sa.select(sa.func.count()).select_from(TrueUp).where(
        TrueUp.state == "confirmed", TrueUp.prepared_by != by.label
    )
    return Task(
        Text("份年度清算已复核，待拨付", "Yearly true-ups confirmed, to be paid"),
        Text("由没有编制的人登记流水号和日期", "Noted, with reference and day, by another"),
        db.session.scalar(query) or 0, url_for(to),
    )  # fmt: skip
