"""The doors people and programs come in by."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from flask import Flask

DOORS = ("cashier", "elder", "bureau", "operator", "public")


def open_doors(app: Flask) -> None:
    """Register every door, and what all of them share."""
    from canteen.web import (
        again,
        api,
        errors,
        filters,
        guards,
        headers,
        health,
        logs,
        once,
        signing_in,
    )

    logs.install(app)  # its clock starts first
    headers.install(app)
    guards.install(app)
    errors.install(app)
    filters.install(app)
    once.install(app)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(signing_in.blueprint)
    api.install(app)
    for door in DOORS:
        if find_spec(f"canteen.web.{door}") is not None:
            app.register_blueprint(import_module(f"canteen.web.{door}").blueprint)
    again.install(app)
