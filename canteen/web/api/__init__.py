"""/api/v1: the same acts as the pages, for programs."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

from canteen.web.api.document import PREFIX, open_document

PARTS = (
    "tokens", "canteens", "orders", "ratings", "elders", "statements", "provider_events",
)


def install(app: Flask) -> None:
    """Open the API and document it."""
    document = open_document(app)
    for part in PARTS:
        blueprint = import_module(f"canteen.web.api.{part}").blueprint
        document.register_blueprint(blueprint, url_prefix=PREFIX)
