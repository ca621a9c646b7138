"""A made-up city served from a folder: web and timetable as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-m", "canteen.cli")
STARTS_WITHIN = 180  # seconds, on a machine that has much else to do


@dataclass(frozen=True)
class City:
    """Where it answers, who may sign in by role, and the cards of its two elders."""

    address: str
    who: dict[str, dict[str, str]]
    cards: tuple[str, ...]
    environment: dict[str, str]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `canteen` on this city to its end."""
        return subprocess.run(
            [*COMMAND, *words], cwd=ROOT, env=self.environment, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip


@contextmanager
def served(folder: Path, canteens: int, elders: int) -> Iterator[City]:
    """Make a city of that size in an empty folder and serve it on a free port of this machine."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    # Whatever database and keys this shell knows are not to be touched.
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("CANTEEN_", "DATABASE_"))}
    ours |= {"CANTEEN_INSTANCE": str(folder), "HOST": "127.0.0.1", "PORT": str(port)}
    making = ("seed", "--canteens", str(canteens), "--elders", str(elders))
    for words in (("db", "upgrade"), making):
        subprocess.run(
            [*COMMAND, *words], cwd=ROOT, env=ours, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    processes = []
    try:
        for name, command in {
            "web": (sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"),
            "scheduler": (*COMMAND, "scheduler"),
        }.items():
            with (folder / f"{name}.log").open("wb") as log:
                processes.append(
                    subprocess.Popen(command, cwd=ROOT, env=ours, stdout=log, stderr=log)
                )
        _wait_for(f"{address}/readyz")
        told = json.loads((folder / "demo.json").read_text())
        who = {one["role"]: one for one in told["sign_ins"]}
        yield City(address, who, tuple(one["card"] for one in told["diners"]), ours)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


def _wait_for(url: str) -> None:
    """Wait until an address answers."""
    until = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
