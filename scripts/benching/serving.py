"""The service under gunicorn as scripts/server runs it, and a client that keeps its connection."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from scripts.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


class Client:
    """One connection that is kept open, with the cookies it was given."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.headers: dict[str, str] = {}
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, wish: Any = None) -> tuple[int, Any]:
        """The status and the JSON of an answer (None if it is none)."""
        body = None if wish is None else json.dumps(wish)
        headers = self.headers | ({"Content-Type": "application/json"} if body else {})
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        given = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.headers["Cookie"] = "; ".join("=".join(pair) for pair in self.cookies.items())
        kind = answer.headers.get_content_type()
        return answer.status, json.loads(given) if kind == "application/json" else None


@contextmanager
def served(app: Flask) -> Iterator[int]:
    """The service on a free port of this machine; stopped by its own process afterwards."""
    port = free_port()
    settings = app.config["SETTINGS"]
    environment = os.environ | {
        "DATABASE_URL": settings.database_url, "CANTEEN_INSTANCE": str(settings.instance),
        "CANTEEN_LOG_LEVEL": "WARNING", "PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(1800):
            try:
                if Client(port).ask("GET", "/healthz")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError("the service did not start")
        yield port
    finally:
        process.terminate()
        process.wait(20)
