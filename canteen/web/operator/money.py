"""Where is my money (我的钱在哪): each month of each canteen, in plain words, phone first."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.payouts.bank_file import number_of
from canteen.settlements import whereabouts
from canteen.settlements.models import Payout
from canteen.subsidies.models import cause_words
from canteen.web.bureau.payouts import STATES
from canteen.web.filters import day, why_failed
from canteen.web.guards import actor
from canteen.web.language import said, t
from canteen.web.operator.door import blueprint


@blueprint.get("/money")
def money() -> ResponseReturnValue:
    """Every month on its way, who has it, since when, until when, and what is in question."""
    by, today = actor(), clock.business_date()
    told = whereabouts.months(by, on=today)
    return render_template(
        "operator/money.html", told=told, waiting_fen=whereabouts.waiting_fen(told),
        today=today, cause_words=cause_words, paid_words=paid_words,
        ended=[month for month in told if month.ended],
        under_way=[month for month in told if not month.ended],
    )  # fmt: skip


def paid_words(payout: Payout | None) -> str:
    """How far the money of an approved statement is."""
    if payout is None:
        return t("已批准，付款还没有安排", "Approved; its payment is not arranged yet")
    if payout.state == "paid":
        return t("{when} 已付到 {account}", "Paid on {when} to {account}",
                 when=day(payout.paid_at), account=tail(payout.account))  # fmt: skip
    if payout.state == "failed":
        return t("付款失败：{why}。改好账户后会重发", "The payment failed: {why}. It is sent again "
                 "once that is put right", why=why_failed(payout.failure))  # fmt: skip
    if payout.state == "ready":
        if payout.batch_id:
            return t("已列入付款批次 {n}，等待放行", "In batch {n}, to be released",
                     n=number_of(payout.batch_id))  # fmt: skip
        return t("已批准，等待列入付款批次", "Approved, to be put into a batch")
    return t("正在付款：{state}", "Being paid: {state}", state=said(STATES[payout.state]))


def tail(account: str) -> str:
    """The end of an account's number."""
    return f"…{account[-4:]}" if account else ""
