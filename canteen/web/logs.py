"""One JSON line for each request and each fault: never a body, a query or a person's number."""

from __future__ import annotations

import logging
import sys
import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("canteen.web")


def configure(level: str) -> None:
    """Write JSON lines to stderr, ours and the libraries' alike."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    ours = logging.getLogger("canteen")
    ours.handlers = [handler]
    ours.propagate = False
    ours.setLevel(level)


def install(app: Flask) -> None:
    """Log every request but the static files by its rule, so that no address tells on anybody."""
    configure(app.config["SETTINGS"].log_level)

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        if request.endpoint != "static":
            actor = g.get("actor")
            log.info(
                "request",
                method=request.method,
                rule=str(request.url_rule) if request.url_rule else None,
                status=response.status_code,
                ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
                actor=actor.label if actor else None,
                reference=g.get("reference"),
            )
        if g.get("reference"):
            response.headers["X-Request-Id"] = g.reference
        return response
