"""The long work people may ask for, and the worker that does it one by one.

Each kind is done with the rights of who asked for it, in steps that are told in between. A kind
must be repeatable: a worker that dies leaves it to be done again from the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from canteen import clock, jobs
from canteen.access.models import User
from canteen.access.users import actor_of
from canteen.audit.recording import record
from canteen.checks import running
from canteen.checks.parts import scope_of
from canteen.db import db, transaction
from canteen.errors import Forbidden
from canteen.papers import workbooks
from canteen.settlements import exporting, holding
from canteen.tasks import files, working
from canteen.tasks.models import Task
from canteen.tasks.working import Progress, Work
from canteen.territory.actors import BUREAU, Actor, job
from canteen.whatif import asking as what_ifs
from canteen.words import Text


def run_tasks() -> int | None:
    """Do the next task somebody asked for, if any; gives its id."""
    return working.run_next(KINDS)


def close_month(progress: Progress, task: Task) -> Mapping[str, Any]:
    """Close a month: what belongs to it is finished, checked and summed up."""
    by = asker(task)
    by.must_be("city")
    period = str(task.args["period"])
    done = jobs.close_month(period, by, progress.step)
    return {
        "period": done.period, "already": done.already, "statements": done.statements,
        "meals": done.meals, "total_fen": done.total_fen,
    }


def check_meals(progress: Progress, task: Task) -> Mapping[str, Any]:
    """Run every check over a month's meals on the asker's ground."""
    by = asker(task)
    by.must_be("district", "city")
    district = by.territory if by.role == "district" else None
    scope = scope_of(str(task.args["period"]), clock.business_date(), district=district)
    progress.step(0, 2, Text("正在检查每一餐", "Looking at every meal"))
    with transaction():
        found = running.run(scope, by=job("check_meals"), at=clock.now())
    progress.step(1, 2, Text("正在放行已排除的疑点", "Releasing what is cleared"))
    with transaction():
        freed = holding.settle_cleared(clock.now())
    return {
        "period": scope.period, "meals": found.meals, "held_true": found.held_true,
        "new": found.new, "cleared": found.cleared, "released": freed.meals,
    }


def what_if(progress: Progress, task: Task) -> Mapping[str, Any]:
    """Replay one or two drafts over past meals; the outcome has its own page."""
    found = what_ifs.work(progress, task.args, asker(task))
    return found | {"path": f"/bureau/drafts/what-if/{task.id}"}


def export_meals(progress: Progress, task: Task) -> Mapping[str, Any]:
    """Write a month's subsidised meals of the asker's ground to a workbook, for a week."""
    by, period = asker(task), str(task.args["period"])
    by.must_be(*BUREAU)
    says = Text("正在写入餐次", "Writing the meals")
    territory = task.args.get("territory")
    table = exporting.meals_of_period(by, period, territory)
    many = exporting.count_of_period(by, period, territory)
    path = files.of_task(task.id)
    part = path.with_suffix(f".{task.runs}.part")  # another run's is left alone
    try:
        rows = workbooks.write(
            part, [replace(table, rows=_told(table.rows, many, progress, says))],
            str(task.args.get("locale", "zh")),
        )  # fmt: skip
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    db.session.rollback()
    with transaction():
        record(by.label, "export", "meals", period,
               {"format": "xlsx", "rows": rows, "territory": territory or by.territory})
    return {"rows": rows, "path": f"/bureau/tasks/{task.id}/file"}


def _told(rows: Iterable[Any], many: int, progress: Progress, says: Text) -> Iterator[Any]:
    """The same rows, telling every two thousand of them how far it is."""
    for number, row in enumerate(rows):
        if number % 2_000 == 0:
            progress.step(number, many, says)
        yield row


def asker(task: Task) -> Actor:
    """Who asked, with the rights they have now. Refuses with Forbidden when they have none."""
    user = db.session.get(User, task.asked_by_user_id) if task.asked_by_user_id else None
    if user is None or user.disabled_at is not None:
        raise Forbidden()
    return actor_of(user)


KINDS: dict[str, Work] = {
    "close_month": close_month, "check_meals": check_meals, "what_if": what_if,
    "export_meals": export_meals,
}  # fmt: skip
