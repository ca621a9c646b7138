"""The scripts say what is missing in a sentence, and the locks are what they claim to be."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from scripts.ports import HIGHEST, LOWEST, free_port

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = [path for path in (ROOT / "scripts").iterdir() if path.is_file()]
BASH = [path for path in SCRIPTS if b"bash" in path.read_bytes()[:40] or path.suffix == ".bash"]
LOCKS = ["requirements", "requirements-dev"]


def run(*command: object, **environment: object) -> subprocess.CompletedProcess[str]:
    """Run a command from a foreign folder and keep what it says."""
    return subprocess.run(
        [str(part) for part in command],
        cwd="/",
        env=os.environ | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def wanted(name: str) -> set[str]:
    """The packages asked for in one of the .in files."""
    lines = (ROOT / f"{name}.in").read_text().splitlines()
    return {m[0] for line in lines if (m := re.match(r"[a-z][a-z0-9-]+", line))}


def locked(name: str) -> dict[str, str]:
    """Package to version, as the lock has them for this Python."""
    found = re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / f"{name}.txt").read_text(), re.M)
    return dict(reversed(found))


@pytest.mark.parametrize("script", BASH, ids=lambda path: path.name)
def test_scripts_are_sound_bash(script):
    assert run("bash", "-n", script).returncode == 0


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_everything_wanted_with_hashes_and_no_address(name):
    text = (ROOT / f"{name}.txt").read_text()
    assert wanted(name) <= set(locked(name))
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links", text)
    entries = re.split(r"^(?=\S)", text, flags=re.M)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


def test_tests_run_on_the_versions_that_are_shipped():
    dev = locked("requirements-dev")
    assert {name: dev.get(name) for name in locked("requirements")} == locked("requirements")


def test_every_dependency_is_named_with_its_version_and_reason():
    page = (ROOT / "docs/decisions/dependencies.md").read_text()
    rows = {name: version for name, version, _ in re.findall(r"\| (\S+) \| (\S+) \| (.+) \|", page)}
    rows.pop("Package")
    versions = locked("requirements-dev")
    assert rows == {name: versions[name] for name in wanted(LOCKS[0]) | wanted(LOCKS[1])}


def test_a_taken_port_is_said_in_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(ROOT / "scripts/server", PORT=port, CANTEEN_INSTANCE=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {port} on 127.0.0.1 is taken or not allowed.")


def test_a_free_port_is_none_that_the_system_gives_to_others():
    ports = {free_port() for _ in range(20)}
    assert len(ports) > 1 and all(LOWEST <= port <= HIGHEST < 32_768 for port in ports)


def test_a_missing_python_is_said_in_a_sentence(tmp_path):
    done = run(ROOT / "scripts/server", CANTEEN_PYTHON="no-such-python", CANTEEN_INSTANCE=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Python 3.11 or newer" in done.stderr


def test_without_root_missing_packages_are_named_and_not_installed(tmp_path):
    for name, says in {"id": "echo 1000", "apt-get": f"touch {tmp_path}/installed"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{says}\n")
        (tmp_path / name).chmod(0o755)
    ask = f'source {ROOT}/scripts/shared.bash; need_packages "A browser is" chromium fonts-noto-cjk'
    done = run("bash", "-c", ask, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert done.stderr == (
        "A browser is missing here. As root, run once: apt install chromium fonts-noto-cjk\n"
    )
    assert not (tmp_path / "installed").exists()
