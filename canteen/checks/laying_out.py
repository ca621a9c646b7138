"""A period laid out for the checks: within it, every table they look at is filled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from canteen.checks import elsewhere, following, gathering, giving_back, summing
from canteen.checks.gathering import here
from canteen.checks.parts import Scope
from canteen.db import db, is_postgresql


@contextmanager
def laid_out(scope: Scope) -> Iterator[None]:
    """Within it MEALS and all that is made from them hold the whole city's period: what is far
    above its peers does not depend on who asks. Inside the door's transaction; a failure rolls
    the tables back."""
    connection = db.session.connection()
    if is_postgresql():  # many short statements: compiling them costs more than it gains
        connection.exec_driver_sql("SET LOCAL jit = off")
        connection.exec_driver_sql("SET LOCAL work_mem = '64MB'")
        connection.exec_driver_sql("SET LOCAL default_statistics_target = 10")
    here.drop_all(connection)
    here.create_all(connection, checkfirst=False)
    gathering.fill(scope)
    giving_back.fill(scope)
    summing.fill(scope)
    elsewhere.fill(scope)
    following.fill()
    yield
    here.drop_all(connection)
