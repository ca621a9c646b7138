"""Real processes for the stories, each forked from one that has loaded everything already.

A fresh interpreter needs two seconds of a processor to load the service, and some stories start
twenty. What is forked has no connection, no application and no thread yet: it makes its own.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(["canteen.registry", "canteen.cli", "canteen.demo.provider",
                                "tests.stories.preloading"])  # fmt: skip


class Process:
    """A process that runs `act(*given)` with its own environment, its output in a pipe.

    With `errors` what it says to stderr comes by the same pipe.
    """

    def __init__(
        self, environment: dict[str, str], act: Callable[..., Any], *given: Any,
        errors: bool = False,
    ) -> None:
        reading, writing = context.Pipe(duplex=False)
        hearing, telling = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_run, args=(environment, writing, hearing, errors, act, given), daemon=True
        )
        self._process.start()
        writing.close()
        hearing.close()
        self.stdout = io.TextIOWrapper(io.FileIO(os.dup(reading.fileno())), encoding="utf-8")
        self.stdin = io.TextIOWrapper(
            io.FileIO(os.dup(telling.fileno()), "w"), encoding="utf-8", write_through=True
        )
        reading.close()
        telling.close()

    @property
    def returncode(self) -> int | None:
        """How it ended: 0, a failure, or the negative number of the signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def send_signal(self, number: int) -> None:
        """As `kill` does."""
        os.kill(self._process.pid or 0, number)

    def kill(self) -> None:
        """kill -9: no handler runs, nothing is cleaned up."""
        self._process.kill()

    def wait(self, timeout: float) -> int | None:
        """Wait for its end; how it ended."""
        self._process.join(timeout)
        return self.returncode

    def communicate(self, timeout: float = 120) -> str:
        """Everything it says until its end."""
        said = "" if self.stdout.closed else self.stdout.read()
        self.wait(timeout)
        return said

    def forget(self) -> None:
        """End it, whatever it does, and close what joined us."""
        self.kill()
        self._process.join()
        self.stdin.close()
        self.stdout.close()


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something another process does."""
    end = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def _run(
    environment: dict[str, str], out: Connection, into: Connection, errors: bool,
    act: Callable[..., Any], given: tuple[Any, ...],
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(into.fileno(), 0)
    os.dup2(out.fileno(), 1)
    if errors:
        os.dup2(1, 2)
    into.close()
    out.close()
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    if errors:
        sys.stderr = sys.stdout
    act(*given)
