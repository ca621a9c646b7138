"""/healthz: the process is up. /readyz: the database answers and is migrated."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from canteen.db import db
from canteen.web.guards import guard_door, public

blueprint = Blueprint("health", __name__)
guard_door(blueprint, public())


@cache
def newest(folder: str) -> frozenset[str]:
    """The newest migrations there are."""
    return frozenset(ScriptDirectory(folder).get_heads())


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="up")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """The database can be reached and has every migration; else 503, saying which is missing."""
    folder = Path(current_app.extensions["migrate"].directory)
    try:
        at = frozenset(db.session.scalars(sa.text("SELECT version_num FROM alembic_version")))
    except SQLAlchemyError:
        db.session.rollback()
        return jsonify(status="not ready", database=_reachable(), migrated=False), 503
    if at != newest(str(folder)):
        return jsonify(status="not ready", database=True, migrated=False), 503
    return jsonify(status="ready", database=True, migrated=True)


def _reachable() -> bool:
    try:
        db.session.execute(sa.text("SELECT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return True
