"""The life of a sign as pure rules: which changes are allowed, notice periods, cooling-off."""

from __future__ import annotations

from datetime import date
from functools import cache

from holidays import country_holidays

from canteen.canteens.models import OPEN_STATUSES, REASONS, STATUSES
from canteen.canteens.rulebook import SignRules
from canteen.errors import Refused
from canteen.reasons import reason_of
from canteen.words import Text, day


class NotSoFast(Refused):
    """The sign cannot change from what it is to what is wished for."""

    code = "sign_change_not_allowed"
    text = Text("不能从“{now}”改为“{to}”", "A canteen that is “{now}” cannot become “{to}”")


class WrongReason(Refused):
    """That reason is not one this change may be made for."""

    code = "reason_not_for_this"
    text = Text("“{reason}”不能作为改为“{to}”的理由", "“{reason}” is not a reason to become “{to}”")


class NoticeRunning(Refused):
    """The public notice has not run its full number of working days."""

    code = "notice_running"
    text = Text(
        "公示期到{until}止，满 {days} 个工作日后才能挂牌",
        "Public notice runs to {until}: {days} full working days before listing",
    )


class CoolingOff(Refused):
    """A delisted canteen may not apply again yet."""

    code = "cooling_off"
    text = Text("摘牌后需满 {months} 个月，{until}起可重新申请",
                "{months} months must pass after delisting; you may apply again from {until}")


class CanteenNotSelling(Refused):
    """The canteen's sign does not hang: it sells nothing and earns no subsidy."""

    code = "canteen_not_selling"
    text = Text("这家食堂目前“{status}”，不能接单", "This canteen is “{status}”: no orders")


def may_sell(canteen_status: str) -> bool:
    """Whether a canteen with this status may take orders and earn subsidies."""
    return canteen_status in OPEN_STATUSES


def must_sell(canteen_status: str) -> None:
    """Refuse with CanteenNotSelling unless a canteen with this status may take orders."""
    if not may_sell(canteen_status):
        raise CanteenNotSelling(status=STATUSES[canteen_status])


def check_change(rules: SignRules, now: str, to: str, reason_code: str, reason: str) -> None:
    """Refuse a change of the sign that the rules do not know.

    NotSoFast for the change itself, WrongReason for its reason code, ReasonMissing for what
    was written.
    """
    fitting = [way for way in rules.transitions if now in way.from_ and way.to == to]
    if not fitting:
        raise NotSoFast(field="to", now=STATUSES[now], to=STATUSES.get(to, Text(to, to)))
    if not any(reason_code in way.reasons for way in fitting):
        named = REASONS.get(reason_code, Text(reason_code, reason_code))
        raise WrongReason(field="reason_code", reason=named, to=STATUSES[to])
    reason_of(reason)


def ways_from(rules: SignRules, now: str) -> dict[str, tuple[str, ...]]:
    """What a sign may become from here, each with the reasons allowed: {"warned": ("idle", …)}."""
    ways: dict[str, tuple[str, ...]] = {}
    for way in rules.transitions:
        if now in way.from_:
            ways[way.to] = ways.get(way.to, ()) + way.reasons
    return ways


def notice_ends(since: date, working_days: int) -> date:
    """The last day of a public notice put up on `since`: that many working days after it."""
    return _calendar().get_nth_working_day(since, working_days) if working_days else since


def check_notice(rules: SignRules, since: date, on: date) -> None:
    """Refuse with NoticeRunning while the public notice put up on `since` still runs on `on`."""
    until = notice_ends(since, rules.notice_working_days)
    if on <= until and rules.notice_working_days:
        raise NoticeRunning(until=day(until), days=rules.notice_working_days)


def may_reapply_from(rules: SignRules, delisted_on: date, reason_code: str) -> date:
    """The first day on which a canteen delisted for this reason may apply again."""
    return months_later(delisted_on, _cooling_months(rules, reason_code))


def check_reapplying(rules: SignRules, delisted_on: date, reason_code: str, on: date) -> None:
    """Refuse with CoolingOff before the first day of a new application."""
    first = may_reapply_from(rules, delisted_on, reason_code)
    if on < first:
        months = _cooling_months(rules, reason_code)
        raise CoolingOff(months=months, until=day(first, year=True))


def _cooling_months(rules: SignRules, reason_code: str) -> int:
    by_reason: dict[str, int] = dict(rules.cooling_off.by_reason)
    return by_reason.get(reason_code, rules.cooling_off.months)


def months_later(on: date, months: int) -> date:
    """The same day so many months later; the last of the month where that day is missing."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    for last in (on.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(on.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


@cache
def _calendar():  # type: ignore[no-untyped-def]
    """China's working days, with the weekends that are worked in exchange for holidays."""
    return country_holidays("CN")
