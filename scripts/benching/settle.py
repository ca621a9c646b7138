"""Closing a whole history, with and without checks, against bare SQL and against an office."""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_migrate import upgrade

from canteen import clock
from canteen.checks import running
from canteen.checks.models import Suspicion
from canteen.checks.parts import scope_of
from canteen.db import db, transaction
from canteen.settlements import closing
from canteen.settlements.models import Statement
from canteen.territory.actors import job
from scripts.benching import history
from scripts.benching.world import Place, aim, alone, database, machine, opened, peak_mb

ON = date(2026, 11, 2)
SIZES = "100000,1000000,7040000"
BY = job("bench")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--sizes", default=SIZES, help=f"subsidised meals ({SIZES})")
    parser.add_argument("--months", type=int, default=12, help="periods they lie in (12)")
    parser.add_argument(
        "--databases", default="sqlite,postgresql", help="which (sqlite,postgresql)"
    )


def run(wish: argparse.Namespace) -> dict[str, Any]:
    """Measure each size on each database; gives figures and aims."""
    figures: dict[str, Any] = {"months": wish.months, **machine()}
    aims = []
    sizes = [int(size) for size in wish.sizes.split(",")]
    for kind in wish.databases.split(","):
        times = {}
        for size in sizes:
            with database(kind) as place:
                made = alone(_make, place, size, wish.months)
                found = alone(measure, place, made)
            times[found["meals"]] = found["close_s"], found["checked_s"]
            figures |= {f"{kind}_{size}_{name}": value for name, value in found.items()}
            what = f"{kind}, {size:,} meals"
            aims += [
                aim(f"closing, {what}, against bare SQL", found["ratio_bare"], 1.5),
                aim(f"with all checks, {what}", found["ratio_checked"], 3),
                aim(f"against pandas and XLSX, {what}", found["ratio_office"], 10, least=True),
                aim(f"memory, {what}", found["peak_mb"], 300, "MB"),
            ]
        if len(times) > 1:
            for place, name in enumerate(("closing", "with all checks")):
                figure = _exponent({meals: each[place] for meals, each in times.items()})
                aims.append(aim(f"exponent of {name}, {kind}", figure, 1.05, ""))
    return {"name": "settle", "figures": figures, "aims": aims}


def _make(place: Place, size: int, months: int) -> history.History:
    with opened(*place):
        upgrade()
        return history.make(size, months)


def measure(place: Place, made: history.History) -> dict[str, Any]:
    """One size on one database: every period closed without checks, with them, bare, by hand."""
    with opened(*place):
        # Once unmeasured: rows come into the cache, statements are composed.
        first = replace(made, periods=made.periods[:1], meals=0)
        for checking in (False, True):
            _undone(lambda: _close(first, checking=checking))  # noqa: B023 - called at once
        _undone(lambda: _bare(made.periods))
        close_s = _undone(lambda: _close(made, checking=False))
        bare_s = _undone(lambda: _bare(made.periods))
        checked_s = _undone(lambda: _close(made, checking=True))
        peak = peak_mb()
        office_s = _office(made.periods)
    return {
        "meals": made.meals, "canteens": made.canteens, "elders": made.elders,
        "close_s": close_s, "bare_s": bare_s, "checked_s": checked_s, "office_s": office_s,
        "ratio_bare": close_s / bare_s, "ratio_checked": checked_s / bare_s,
        "ratio_office": office_s / close_s, "ratio_office_checked": office_s / checked_s,
        "peak_mb": peak,
    }  # fmt: skip


class _Undo(Exception):
    """Leaves a transaction without saving it."""


def _undone(act: Any) -> float:
    """The seconds an act takes in a transaction that is then undone."""
    begun = time.perf_counter()
    try:
        with transaction():
            act()
            taken = time.perf_counter() - begun
            raise _Undo
    except _Undo:
        return taken


def _close(made: history.History, *, checking: bool) -> None:
    for period in made.periods:
        if checking:
            running.run(scope_of(period, ON), by=BY, at=clock.now())
        closing.close(period, BY, on=ON, at=clock.now())
    statements, meals = db.session.execute(
        sa.select(sa.func.count(Statement.id), sa.func.sum(Statement.meals))
    ).one()
    held = db.session.scalar(
        sa.select(sa.func.count(Suspicion.order_id.distinct())).where(Suspicion.mode == "hold")
    )
    whole = statements >= made.canteens * len(made.periods) and meals + (held or 0) == made.meals
    if made.meals and not whole:
        raise RuntimeError(f"{statements} statements of {meals} meals, {held} held")


def _bare(periods: tuple[str, ...]) -> None:
    """What any closing must at least do: the same sums, by one statement a period."""
    db.session.execute(
        sa.text(
            "CREATE TABLE bare (period varchar(7), canteen_id bigint, meals bigint, a bigint,"
            " b bigint, c bigint, d bigint)"
        )
    )
    for period in periods:
        db.session.execute(
            sa.text(
                "INSERT INTO bare SELECT period, canteen_id, sum(sign), sum(till_fen),"
                " sum(account_fen), sum(enterprise_fen), sum(delivery_fen) FROM grants"
                " WHERE period = :period GROUP BY period, canteen_id"
            ),
            {"period": period},
        )


def _office(periods: tuple[str, ...]) -> float:
    """What an office does: read a month's rows, group them, write a workbook."""
    import pandas as pd  # here, for its own memory is not the closing's

    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, db.engine.connect() as connection:
        for period in periods:
            rows = pd.read_sql(
                sa.text(
                    "SELECT canteen_id, sign, till_fen, account_fen, enterprise_fen,"
                    " delivery_fen FROM grants WHERE period = :period"
                ),
                connection, params={"period": period},
            )  # fmt: skip
            sums = rows.groupby("canteen_id").sum()
            sums.to_excel(Path(folder) / f"{period}.xlsx", engine="xlsxwriter")
    return time.perf_counter() - begun


def _exponent(times: dict[int, float]) -> float:
    """The slope of log(seconds) over log(meals), fitted over all sizes."""
    xs = [math.log(meals) for meals in times]
    ys = [math.log(seconds) for seconds in times.values()]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    over = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return over / sum((x - mean_x) ** 2 for x in xs)
