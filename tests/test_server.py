"""scripts/server from outside: starts everything, keeps the data, leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One instance folder for all starts: the city is made once, as in life."""
    return tmp_path_factory.mktemp("instance")


@contextmanager
def server(instance: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """The script, from when it has printed its sign-ins; also its address and what it said."""
    port = free_port()
    said = instance / f"said-{port}"
    settings = {
        "PORT": str(port), "HOST": "127.0.0.1", "CANTEEN_INSTANCE": str(instance),
        "CANTEEN_SEED": "--canteens 2 --elders 20 --days 3",
    }  # fmt: skip
    keep = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    with said.open("wb") as out:
        script = subprocess.Popen(
            [ROOT / "scripts/server"],
            cwd="/",
            env=keep | settings,
            stdout=out,
            stderr=out,
            # As from a terminal, though the tests themselves may run in the background.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            for _ in range(1800):
                if b"Stop: Ctrl-C" in said.read_bytes():
                    break
                assert script.poll() is None, said.read_text()
                time.sleep(0.1)
            yield script, f"http://127.0.0.1:{port}", said
        finally:
            script.terminate()
            script.wait(60)


def children(script: subprocess.Popen[bytes]) -> dict[str, int]:
    """The ids of the processes the script runs: web and scheduler."""
    ids = Path(f"/proc/{script.pid}/task/{script.pid}/children").read_text().split()
    lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in ids}
    return {
        name: next(pid for pid, line in lines.items() if mark in line)
        for name, mark in {"web": "gunicorn", "scheduler": "scheduler"}.items()
    }


def gone(pid: int) -> bool:
    """Whether no such process runs any more."""
    return not Path(f"/proc/{pid}/cmdline").exists()


def test_it_serves_a_city_stops_cleanly_and_keeps_the_data(instance):
    with server(instance) as (script, address, said):
        running = children(script)
        with urllib.request.urlopen(f"{address}/readyz", timeout=10) as answer:
            assert answer.status == 200
        demo = json.loads((instance / "demo.json").read_text())
        assert demo["address"] == address
        for sign_in in demo["sign_ins"]:
            assert sign_in["login"] in said.read_text()
            assert sign_in["password"] in said.read_text()
        assert (instance / "secrets.json").stat().st_mode & 0o777 == 0o600
        script.send_signal(signal.SIGINT)
        assert script.wait(60) == 0
    assert all(gone(pid) for pid in running.values())
    before = (instance / "secrets.json").read_text(), demo["sign_ins"]

    with server(instance):
        demo = json.loads((instance / "demo.json").read_text())
        assert ((instance / "secrets.json").read_text(), demo["sign_ins"]) == before


@pytest.mark.parametrize("victim", ["web", "scheduler"])
def test_when_one_process_dies_the_other_is_stopped_and_the_script_fails(instance, victim):
    with server(instance) as (script, _, said):
        running = children(script)
        os.kill(running[victim], signal.SIGKILL)
        assert script.wait(60) == 1
        assert f"The {victim} process ended by itself." in said.read_text()
        assert all(gone(pid) for pid in running.values())
