"""A draft policy replayed over a year of a whole city: seconds, orders a second, and memory."""

from __future__ import annotations

import argparse
import time
from typing import Any

import msgspec

from canteen.db import db
from canteen.subsidies.policies import load_folder
from canteen.subsidies.shapes import Policy
from canteen.whatif.replaying import replay
from scripts.benching.whatif_year import COPIES, FIRST, LAST, fill_apart
from scripts.benching.world import aim, alone, application, machine, peak_mb


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument(
        "--size", type=int, default=4_000_000, help="served orders of elders (4000000)"
    )
    parser.add_argument(
        "--databases", default="sqlite,postgresql", help="which (sqlite,postgresql)"
    )


def run(wish: argparse.Namespace) -> dict[str, Any]:
    """Measure on each database; gives figures and aims."""
    wish.size -= wish.size % COPIES
    figures: dict[str, Any] = {"orders": wish.size, **machine()}
    aims = []
    for kind in wish.databases.split(","):
        found = alone(_measured, kind, wish.size)
        figures |= {f"{kind}_{name}": figure for name, figure in found.items()}
        aims += [
            aim(f"a year of the city under two drafts, {kind}", found["two_drafts_s"], 60, "s"),
            aim(f"memory, {kind}", found["peak_mb"], 300, "MB"),
        ]
    return {"name": "what-if", "figures": figures, "aims": aims}


def _measured(kind: str, size: int) -> dict[str, float]:
    """A year made and replayed on one database."""
    with application(kind):
        begun = time.perf_counter()
        fill_apart(size)
        filled = time.perf_counter() - begun
        return {"fill_s": filled, **_measure(size), "peak_mb": peak_mb()}


def _measure(size: int) -> dict[str, float]:
    """One replay of two drafts over the whole city, one over a single district."""
    drafts = _drafts()
    begun, worked = time.perf_counter(), time.process_time()
    result = replay(drafts, FIRST, LAST)
    took, work = time.perf_counter() - begun, time.process_time() - worked
    if (result.orders, result.without_facts) != (size, 0):
        raise RuntimeError(f"replayed {result.orders} of {size} orders")
    total, really = result.in_force.total, result.recorded
    if (total.meals, total.elder_fen) != (really.meals, really.elder_fen):
        raise RuntimeError(f"the replay found {total}, granted was {really}")
    db.session.rollback()
    begun = time.perf_counter()
    district = replay(drafts, FIRST, LAST, "120104")
    took_district = time.perf_counter() - begun
    db.session.rollback()
    return {
        "two_drafts_s": took, "two_drafts_cpu_s": work, "orders_a_second": size / took,
        "subsidised_meals": total.meals,
        "district_s": took_district,
        "district_orders": district.orders,
    }


def _drafts() -> list[Policy]:
    """Four yuan from 75 on with six meals a week; and a third of the price, at most five yuan."""
    base = next(d for d in load_folder() if d.code == "tianjin-V2024")
    body = msgspec.json.decode(base.to_json()) | {"version": "V2027"}
    [layer] = body["layers"]
    groups = [dict(group) for group in body["eligibility"]]
    groups[0]["min_age"] = 75
    wider = body | {
        "eligibility": groups, "caps": {"per_day": 1, "per_week": 6},
        "layers": [layer | {"amount": {"kind": "flat", "fen": 400}}],
    }
    percent = {"kind": "percent", "rate_bp": 3333, "ceiling_fen": 500}
    shared = body | {"version": "V2028", "layers": [layer | {"amount": percent}]}
    return [msgspec.convert(each, Policy) for each in (wider, shared)]
