"""A port of this machine that is still free when a server binds it some seconds later."""

from __future__ import annotations

import random
import socket

# Below those the system gives to outgoing connections (Linux: from 32768 on) and to whoever binds
# port 0: what is free here is taken only by somebody who asks for this very number.
LOWEST, HIGHEST = 20_000, 32_767


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on, drawn anew each time so that two who ask at once get two."""
    draw = random.SystemRandom()  # no seed of a test's makes two draw the same
    for _ in range(1000):
        port = draw.randint(LOWEST, HIGHEST)
        try:
            socket.create_server((host, port)).close()
        except OSError:
            continue
        return port
    raise OSError(f"no free port between {LOWEST} and {HIGHEST}")
