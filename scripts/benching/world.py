"""What the benchmarks stand on: a database of their own, and numbers taken fairly."""

from __future__ import annotations

import multiprocessing
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade

from canteen import config, create_app
from canteen.db import db
from tests import postgres

Place = tuple[Path, str]  # an instance folder and the URL of its database


@contextmanager
def application(kind: str) -> Iterator[Flask]:
    """A migrated, empty application on a durable database of its own; gone afterwards."""
    with database(kind) as place, opened(*place) as app:
        upgrade()
        yield app


@contextmanager
def database(kind: str) -> Iterator[Place]:
    """A durable, empty database of its own, with an instance folder; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="canteen-bench-") as folder:
        if kind == "postgresql":
            with postgres.running(durable=True) as server:
                yield Path(folder), server.create_database("canteen_bench")
                server.drop_database("canteen_bench")
        else:
            yield Path(folder), f"sqlite:///{folder}/canteen.db"


@contextmanager
def opened(folder: Path, url: str) -> Iterator[Flask]:
    """An application on such a database."""
    settings = config.read({"CANTEEN_INSTANCE": str(folder), "DATABASE_URL": url})
    app = create_app(replace(settings, log_level="ERROR"))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def alone(act: Callable[..., Any], *given: Any) -> Any:
    """What an act gives in a process of its own: no other's memory is counted, or kept."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(act, *given).result()


def peak_mb() -> float:
    """The most memory this process ever had, in MB (getrusage would count its parent's too)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    return {"cores": os.cpu_count(), "python": platform.python_version()}


def quantile(times: list[float], share: float) -> float:
    """The value below which `share` of the times lie."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(times: list[float]) -> float:
    """The middle one."""
    return statistics.median(times)


def aim(name: str, figure: float, limit: float, unit: str = "×", least: bool = False) -> dict:
    """An aim as the JSON wants it: at most (or at least) `limit`."""
    met = figure >= limit if least else figure <= limit
    sign = "≥" if least else "≤"
    return {"name": name, "figure": figure, "aim": f"{sign} {limit:g} {unit}".strip(), "met": met}
