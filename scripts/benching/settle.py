"""Closing a month against one bare INSERT … SELECT … GROUP BY over the same grants."""

from __future__ import annotations

import argparse
import resource
import time
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db, transaction
from canteen.settlements import closing
from canteen.settlements.models import Statement
from canteen.subsidies.models import Funding, FundingShare, Period, PolicyVersion
from canteen.territory.actors import job
from scripts.benching.world import aim, application, machine, median
from tests.factories import make_canteen, make_city, make_elder

PERIOD = "2026-10"
CANTEENS = 100
ELDERS = 500


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--size", type=int, default=1_000_000, help="subsidised meals (1000000)")
    parser.add_argument("--rounds", type=int, default=3, help="measured rounds of each (3)")
    parser.add_argument(
        "--databases", default="sqlite,postgresql", help="which (sqlite,postgresql)"
    )


def run(wish: argparse.Namespace) -> dict[str, Any]:
    """Measure on each database; gives figures and aims."""
    figures: dict[str, Any] = {"meals": wish.size, **machine()}
    aims = []
    for kind in wish.databases.split(","):
        with application(kind):
            _fill(wish.size)
            ours, bare = _measure(wish.rounds)
        figures[f"{kind}_close_s"] = median(ours)
        figures[f"{kind}_bare_s"] = median(bare)
        ratio = median([a / b for a, b in zip(ours, bare, strict=True)])
        figures[f"{kind}_ratio"] = ratio
        aims.append(aim(f"closing on {kind} against the bare SQL", ratio, 1.5))
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    aims.append(aim("memory", figures["peak_mb"], 300, "MB"))
    return {"name": "settle", "figures": figures, "aims": aims}


def _measure(rounds: int) -> tuple[list[float], list[float]]:
    """Time closing and the bare statement in turn, each undone again; one warm-up."""
    ours, bare = [], []
    for number in range(rounds + 1):
        begun = time.perf_counter()
        _undone(_close)
        middle = time.perf_counter()
        _undone(_bare)
        ended = time.perf_counter()
        if number:
            ours.append(middle - begun)
            bare.append(ended - middle)
    return ours, bare


class _Undo(Exception):
    """Leaves a transaction without saving it."""


def _undone(act: Any) -> None:
    try:
        with transaction():
            act()
            raise _Undo
    except _Undo:
        pass


def _close() -> None:
    done = closing.close(PERIOD, job("bench"), on=date(2026, 11, 2), at=clock.now())
    if db.session.scalar(sa.select(sa.func.count(Statement.id))) != CANTEENS:
        raise RuntimeError(f"closing made the wrong statements: {done}")


def _bare() -> None:
    db.session.execute(
        sa.text(
            "INSERT INTO bare SELECT canteen_id, sum(sign), sum(till_fen), sum(account_fen),"
            " sum(enterprise_fen), sum(delivery_fen) FROM grants WHERE period = :period"
            " GROUP BY canteen_id"
        ),
        {"period": PERIOD},
    )


def _fill(size: int) -> None:
    """`size` orders with their grants in one month, made by the database itself."""
    city = make_city(date(2026, 10, 15))
    with transaction() as session:
        first = [city.here.id, city.elsewhere.id]
        for _ in range(CANTEENS - 2):
            make_canteen("120104001", operator_id=city.here.operator_id)
        for number in range(ELDERS - 1):
            born = date(1930 + number % 15, 1 + number // 900, 2)
            make_elder(born, sequence=number % 900 + 2)
        funding = Funding(
            digest="bench", till_fen=300, account_fen=0, enterprise_fen=200, delivery_fen=0
        )
        session.add(funding)
        session.flush()
        for side, fen in (("elder", 150), ("enterprise", 100)):
            for funder in ("city", "district"):
                session.add(
                    FundingShare(
                        funding_id=funding.id, side=side, funder=funder, amount_fen=fen
                    )
                )
        session.add(Period(period=PERIOD))
        session.flush()
        least = session.scalar(sa.select(sa.func.min(Canteen.id)))
        policy = session.scalar(sa.select(sa.func.max(PolicyVersion.id)))
        menu = city.items[0].menu_id
        values = {
            "size": size, "least": least, "policy": policy, "menu": menu, "funding": funding.id,
            "elder": city.elder.id, "at": datetime(2026, 10, 15, 4, tzinfo=UTC),
        }
        if session.get_bind().dialect.name == "sqlite":
            values["at"] = "2026-10-15 04:00:00.000000"
            numbers = (
                "WITH RECURSIVE n(i) AS"
                " (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :size)"
            )
            day = "'2026-10-' || substr('0' || (1 + i % 31), -2)"
            i = "i"
        else:
            numbers = "WITH n AS (SELECT generate_series(0, :size - 1) AS i)"
            day = "DATE '2026-10-01' + (i % 31)::int"
            i = "i::bigint"
        session.execute(
            sa.text(
                "INSERT INTO orders (id, canteen_id, elder_id, menu_id, \"on\", meal, service,"
                " channel, state, payment, list_fen, discount_fen, subsidy_fen, payable_fen,"
                " placed_at, placed_by, paid_at, paid_on, served_at, note) "
                f"{numbers} SELECT {i} + 1, :least + i % {CANTEENS}, :elder + i / 7 % {ELDERS},"
                f" :menu, {day}, 'lunch', 'eat_in', 'till', 'served', 'cash', 1500, 0, 300, 1200,"
                f" :at, 'bench', :at, {day}, :at, '' FROM n"
            ),
            values,
        )
        session.execute(
            sa.text(
                "INSERT INTO grants (id, order_id, number, sign, cause, elder_id, canteen_id,"
                " period, \"on\", meal, policy_id, group_code, funding_id, till_fen,"
                " account_fen, enterprise_fen, delivery_fen, made_at)"
                f" SELECT id, id, 1, 1, 'sale', elder_id, canteen_id, '{PERIOD}', \"on\", meal,"
                " :policy, 'G1', :funding, 300, 0, 200, 0, placed_at FROM orders"
            ),
            values,
        )
        session.execute(
            sa.text(
                "CREATE TABLE bare (canteen_id bigint, meals bigint, a bigint, b bigint,"
                " c bigint, d bigint)"
            )
        )
        assert first
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
