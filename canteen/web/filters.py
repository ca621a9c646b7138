"""What templates may say: money, days, counts and masks as people write them, in their language."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask, current_app, request, url_for

from canteen import clock, words
from canteen.canteens.models import TIERS
from canteen.money import yuan
from canteen.payouts import failures
from canteen.web import language
from canteen.web.language import locale, t
from canteen.web.ways_back import form_page

STATIC = Path(__file__).resolve().parent.parent / "static"
STYLES = (
    "tokens", "base",
    *(f"components/{path.stem}" for path in sorted((STATIC / "css/components").glob("*.css"))),
)


def money(fen: int | None) -> str:
    """Fen as bare yuan, 1300 → "13.00"; nothing → "". The unit is said once, by the macro."""
    return "" if fen is None else yuan(fen)


def yuan_word() -> str:
    """The unit, in the reader's language."""
    return t("元", "yuan")


def _day_of(when: date | datetime | str) -> date:
    """The Shanghai day of a date, an aware instant or an ISO text."""
    if isinstance(when, str):
        when = datetime.fromisoformat(when) if len(when) > 10 else date.fromisoformat(when)
    if isinstance(when, datetime):
        return clock.local(when).date() if when.tzinfo else when.date()
    return when


def day(when: date | datetime | str | None, year: bool = False) -> str:
    """11月21日(周六) / Sat 21 Nov; with `year`, the year too. An instant counts by Shanghai."""
    return "" if when is None else words.day(_day_of(when), year=year).into(locale())


def time_of_day(when: datetime | time | None) -> str:
    """12:05, by the wall clock in Shanghai."""
    if when is None:
        return ""
    if isinstance(when, datetime) and when.tzinfo:
        when = clock.local(when)
    return f"{when.hour:02d}:{when.minute:02d}"


def day_time(when: datetime | None, year: bool = False) -> str:
    """11月21日(周六) 12:05 / Sat 21 Nov, 12:05."""
    if when is None:
        return ""
    return t("{day} {time}", "{day}, {time}", day=day(when, year), time=time_of_day(when))


def month(period: str | date | None) -> str:
    """2026年10月 / Oct 2026, from a settlement period "2026-10" or any day in it."""
    if not period:
        return ""
    return words.month(period if isinstance(period, str) else clock.period_of(period)).into(
        locale()
    )


def when_words(when: Any) -> str:
    """A day, an instant or words already, as the chain is handed them."""
    if isinstance(when, datetime):
        return day_time(when)
    if isinstance(when, date):
        return day(when)
    return language.said(when)


def machine_day(when: date | datetime) -> str:
    """What <time datetime> wants: ISO, for machines only."""
    return when.isoformat()


def masked(secret: str | None) -> str:
    """An ID number, phone or card with its middle hidden; short ones keep their last character.

    Of an ID number the six digits of the place and the last four remain, which is what a clerk
    compares with the card in hand; the birth date is hidden.
    """
    if not secret:
        return ""
    head, tail = {18: (6, 4), 15: (6, 3), 11: (3, 4)}.get(len(secret), (0, 4))
    if len(secret) <= 4:
        head, tail = 0, 1
    hidden = "•" * max(len(secret) - head - tail, 1)
    return f"{secret[:head]}{hidden}{secret[-tail:]}"


def percent(rate_bp: int | None) -> str:
    """A rate in basis points: 1000 → "10%", 1250 → "12.5%", 1234 → "12.34%"."""
    if rate_bp is None:
        return ""
    sign = "−" if rate_bp < 0 else ""
    whole, rest = divmod(abs(int(rate_bp)), 100)
    decimals = f".{rest:02d}".rstrip("0") if rest else ""
    return f"{sign}{whole}{decimals}%"


def count(number: int | None) -> str:
    """A count in groups of three, as sums of money are: 12345 → "12,345"."""
    return "" if number is None else f"{int(number):,}".replace("-", "−")


def why_failed(failure: str | None) -> str:
    """Why a payout failed, in the reader's language."""
    return language.said(failures.why(failure))


def with_query(**changes: Any) -> str:
    """This page's address with some of its query changed; None takes a name out."""
    query = request.args.to_dict(flat=False)
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = [str(value)]
    path = request.path if request.method in ("GET", "HEAD") else urlsplit(form_page()).path
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


def read_again() -> str:
    """Where this page is read again: its own address, or after a form that of the form's page."""
    return with_query() if request.method in ("GET", "HEAD") else form_page()


@lru_cache(maxsize=256)
def _mark_of(path: Path, changed_ns: int) -> str:
    """Eight characters that change whenever the file does."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def asset(name: str) -> str:
    """The address of a static file with a mark of its content, so that it may be kept for long."""
    path = Path(current_app.static_folder or STATIC) / name
    try:
        mark = _mark_of(path, path.stat().st_mtime_ns)
    except OSError:
        return url_for("static", filename=name)
    return url_for("static", filename=name, v=mark)


FILTERS = {
    "money": money, "day": day, "time": time_of_day, "day_time": day_time, "month": month,
    "when": when_words, "machine_day": machine_day, "masked": masked, "percent": percent,
    "count": count, "why_failed": why_failed,
}


def install(app: Flask) -> None:
    """Register every filter and global, the language with them."""
    language.install(app)
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(
        asset=asset, with_query=with_query, read_again=read_again, yuan_word=yuan_word,
        styles=STYLES, week_start=clock.week_start, TIERS=TIERS,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
