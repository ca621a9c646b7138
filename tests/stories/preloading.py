"""Loaded once by the process that the stories' processes are forked from: every door's modules."""

from __future__ import annotations

from importlib import import_module

from canteen.web import DOORS, api, errors, filters, guards, headers, health, logs, once, signing_in

LOADED = [
    *(import_module(f"canteen.web.{door}") for door in DOORS),
    api, errors, filters, guards, headers, health, logs, once, signing_in,
]
