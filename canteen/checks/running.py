"""Running the checks: what is new is kept, what no longer holds is cleared, nothing is doubled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from canteen.audit.recording import record
from canteen.canteens.models import Canteen
from canteen.checks import settings, spelling
from canteen.checks.catalogue import CHECKS
from canteen.checks.explaining import LISTS
from canteen.checks.gathering import MEALS
from canteen.checks.laying_out import laid_out
from canteen.checks.marking import column_of, mark, marked
from canteen.checks.models import UNDECIDED, Suspicion, SuspicionStep
from canteen.checks.parts import KEPT, Check, Scope
from canteen.checks.policies import bodies
from canteen.checks.precision import denials
from canteen.checks.settings import Setting
from canteen.db import Json, changed, db, insert, is_postgresql
from canteen.money import yuan
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor

_here = sa.MetaData()

# What this run found, for all checks together.
FOUND = sa.Table(
    "checked_found", _here,
    sa.Column("code", sa.String(30), primary_key=True), sa.Column("key", sa.Text, primary_key=True),
    sa.Column("canteen_id", sa.BigInteger), sa.Column("elder_id", sa.BigInteger),
    sa.Column("order_id", sa.BigInteger), sa.Column("amount_fen", sa.BigInteger),
    sa.Column("evidence", Json), sa.Column("mode", sa.String(6)), prefixes=["TEMPORARY"],
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """What one run changed; all zero but `meals` and `held_true` when it had been done before."""

    meals: int = 0
    held_true: int = 0
    new: int = 0
    again: int = 0
    cleared: int = 0
    grown: int = 0


def run(
    scope: Scope, *, by: Actor, at: datetime, only: Collection[str] | None = None
) -> Found:
    """Carry out every check that a district does not ignore over a scope, in one transaction.

    Each check is one query over all the meals. A suspicion is kept once under its key; one that
    nobody decided and that no longer holds is cleared, and opened again when it holds again. What
    was decided stays decided, but for a pattern that has grown since, which is taken up again.
    What once held is held until somebody decides it or the facts change, however the check is set
    meanwhile. Running it again changes nothing. `only`: the codes of some checks, the others are
    left as they are.
    """
    with laid_out(scope):
        connection = db.session.connection()
        _here.drop_all(connection)
        _here.create_all(connection, checkfirst=False)
        meals = int(db.session.scalar(sa.select(sa.func.count()).select_from(MEALS)) or 0)
        _look_all(replace(scope, policies=bodies(scope)), only)
        held_true = db.session.scalar(sa.select(sa.func.count()).select_from(FOUND))
        _hold(scope)
        new, again, cleared = _add(scope, at), _open_again(by, at), _clear(scope, by, at, only)
        grown = _take_up_grown(by, at)
        _refresh()
        _here.drop_all(connection)
    outcome = Found(meals, int(held_true or 0), new, again, cleared, grown)
    if new or again or cleared or grown:
        detail = {"new": new, "again": again, "cleared": cleared, "grown": grown}
        record(by.label, "check_meals", "period", scope.period, detail)
    return outcome


def _alike(by_district: dict[str, list[Setting]]) -> list[tuple[Mapping[str, int], dict[str, str]]]:
    """The thresholds a check is carried out with, each with the districts that set them in the
    month and did not ignore the check, {district: the strictest mode it set in the month}."""
    groups: dict[tuple[tuple[str, int], ...], dict[str, str]] = {}
    for district, past in by_district.items():
        mode = settings.strictest(past)
        for setting in past:
            if setting.mode != "ignore":
                alike = groups.setdefault(tuple(sorted(setting.thresholds.items())), {})
                alike[district] = mode
    return [(dict(thresholds), alike) for thresholds, alike in groups.items()]


def _look_all(scope: Scope, only: Collection[str] | None) -> None:
    """Find what all checks find, in districts that set them alike, under every setting of the
    month; who is not marked for a check that marks anybody is not looked at."""
    in_force = settings.during(scope.first, scope.as_of)
    turns = [
        (check, alike, replace(scope, thresholds=thresholds))
        for check in CHECKS if only is None or check.code in only
        for thresholds, alike in _alike(in_force[check.code])
    ]  # fmt: skip
    asked = {
        number: check.among(own) for number, (check, _, own) in enumerate(turns) if check.among
    }
    marks = mark(asked)
    for number, (check, alike, own) in enumerate(turns):
        if number not in asked:
            _look(check, alike, own, check.find(own))
        elif number in marks:
            query = check.find(replace(own, among=marked(number)))
            _look(check, alike, own, query.where(column_of(asked[number]).in_(marked(number))))


def _look(
    check: Check, modes: dict[str, str], scope: Scope, query: sa.Select[Any]
) -> None:
    """Keep what a check's query finds in the districts given."""
    seen = query.subquery()
    evidence = {c.name: c for c in seen.c if c.name not in KEPT}
    mode: Any = sa.literal(check.mode)
    if set(modes.values()) != {check.mode}:
        mode = sa.case(modes, value=Canteen.district_code)
    rows = (
        sa.select(
            sa.literal(check.code).label("code"), seen.c.key, seen.c.canteen_id, seen.c.elder_id,
            seen.c.order_id, sa.func.coalesce(seen.c.amount_fen, 0),
            spelling.as_json(evidence), mode,
        )
        .join(Canteen, Canteen.id == seen.c.canteen_id)
        .where(Canteen.district_code.in_(modes), *_in_scope(scope, Canteen))
    )
    columns = ["code", "key", "canteen_id", "elder_id", "order_id", "amount_fen", "evidence",
               "mode"]  # fmt: skip
    db.session.execute(insert(FOUND).from_select(columns, rows).on_conflict_do_nothing())


def _in_scope(scope: Scope, canteen: Any) -> list[Any]:
    conditions = []
    if scope.district is not None:
        conditions.append(canteen.district_code == scope.district)
    if scope.canteen_id is not None:
        conditions.append(canteen.id == scope.canteen_id)
    return conditions


def _hold(scope: Scope) -> None:
    """Hold what may be opened, cleared or refreshed in the order in which people hold what they
    decide: whoever decides one of them meanwhile waits, or is waited for."""
    if not is_postgresql():
        return
    canteens = sa.select(Canteen.id).where(*_in_scope(scope, Canteen))
    held = (
        sa.select(Suspicion.id)
        .where(
            Suspicion.period == scope.period,
            Suspicion.state.in_((*UNDECIDED, "cleared")) | Suspicion.order_id.is_(None),
            Suspicion.canteen_id.in_(canteens),
        )
        .order_by(Suspicion.id).with_for_update().subquery()
    )  # fmt: skip
    db.session.execute(sa.select(sa.func.count()).select_from(held))


def _add(scope: Scope, at: datetime) -> int:
    query = sa.select(
        FOUND.c.code, sa.literal(scope.period), FOUND.c.canteen_id, FOUND.c.elder_id,
        FOUND.c.order_id, FOUND.c.key, FOUND.c.amount_fen, FOUND.c.evidence, FOUND.c.mode,
        sa.literal("open"), sa.literal(at, Suspicion.found_at.type), sa.literal(""), sa.false(),
    ).where(FOUND.c.canteen_id.is_not(None))
    columns = ["code", "period", "canteen_id", "elder_id", "order_id", "key", "amount_fen",
               "evidence", "mode", "state", "found_at", "reason", "false_alarm"]  # fmt: skip
    table = sa.inspect(Suspicion).local_table
    return changed(
        db.session.execute(insert(table).from_select(columns, query).on_conflict_do_nothing())
    )


def _held_true() -> Any:
    return sa.exists().where(FOUND.c.code == Suspicion.code, FOUND.c.key == Suspicion.key)


def _open_again(by: Actor, at: datetime) -> int:
    conditions = [Suspicion.state == "cleared", _held_true()]
    return _move(conditions, "found", "open", by, at)


def _clear(scope: Scope, by: Actor, at: datetime, only: Collection[str] | None) -> int:
    """Clear what no longer holds; not what was denied and taken up again: the denied meal is no
    more among what is found, and somebody has to decide it anew."""
    canteens = sa.select(Canteen.id).where(*_in_scope(scope, Canteen))
    denied_once = sa.exists().where(
        SuspicionStep.suspicion_id == Suspicion.id, SuspicionStep.verdict == "deny"
    )
    conditions = [
        Suspicion.period == scope.period, Suspicion.state.in_(UNDECIDED), ~_held_true(),
        Suspicion.canteen_id.in_(canteens), ~denied_once,
    ]
    if only is not None:
        conditions.append(Suspicion.code.in_(only))
    return _move(conditions, "cleared", "cleared", by, at)


def _move(conditions: list[Any], verdict: str, state: str, by: Actor, at: datetime) -> int:
    """Move many suspicions at once, each with a step that says so."""
    steps = sa.select(
        Suspicion.id, sa.literal(verdict), sa.literal(by.user_id, sa.BigInteger),
        sa.literal(by.label), sa.literal(""), sa.false(),
        sa.literal(at, SuspicionStep.at.type),
    ).where(*conditions)
    columns = ["suspicion_id", "verdict", "by_user_id", "by_label", "reason", "false_alarm", "at"]
    done = db.session.execute(sa.insert(SuspicionStep).from_select(columns, steps))
    if not changed(done):
        return 0
    return changed(
        db.session.execute(
            sa.update(Suspicion).where(*conditions).values(state=state)
            .execution_options(synchronize_session=False)
        )
    )  # fmt: skip


def _take_up_grown(by: Actor, at: datetime) -> int:
    """Take up again each decided pattern that has grown since; the step says from what sum to
    what. What was denied by the decision itself is no more among what is found: it is left out."""
    denied = (
        sa.select(sa.func.sum(Grant.whole_fen))
        .where(*denials(), Grant.made_at >= Suspicion.decided_at)
        .correlate(Suspicion).scalar_subquery()
    )  # fmt: skip
    rows = db.session.execute(
        sa.select(Suspicion, FOUND.c.amount_fen, FOUND.c.evidence, denied)
        .join(FOUND, sa.and_(FOUND.c.code == Suspicion.code, FOUND.c.key == Suspicion.key))
        .where(Suspicion.state.in_(("paid", "denied")), Suspicion.order_id.is_(None))
        .order_by(Suspicion.id).execution_options(populate_existing=True)
    ).all()  # fmt: skip
    grown = 0
    for suspicion, amount_fen, evidence, taken in rows:
        left = suspicion.amount_fen + int(taken or 0)
        if amount_fen <= left and not more_named(suspicion.evidence, evidence):
            continue
        grown += 1
        suspicion.state, suspicion.false_alarm = "open", False
        suspicion.decided_at = suspicion.decided_by = None
        suspicion.reason = f"¥{yuan(left)} → ¥{yuan(amount_fen)}" if amount_fen > left else ""
        db.session.add(
            SuspicionStep(
                suspicion_id=suspicion.id, verdict="grown", by_user_id=by.user_id,
                by_label=by.label, reason=suspicion.reason, at=at,
            )
        )
    db.session.flush()
    return grown


def more_named(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether evidence names meals or elders that it did not name before, or more missing
    numbers."""
    if (now.get("missing") or 0) > (before.get("missing") or 0):
        return True
    named = [set(str(told.get(name) or "").split(",")) for name in LISTS for told in (before, now)]
    return any(after - was - {""} for was, after in zip(named[::2], named[1::2], strict=True))


def _refresh() -> None:
    """Bring amounts and evidence of what is undecided up to date; what only warned may hold now,
    what once held is not let go."""
    found = FOUND.c
    stricter = sa.and_(found.mode == "hold", Suspicion.mode == "warn")
    differs = sa.or_(
        Suspicion.amount_fen != found.amount_fen, stricter,
        sa.cast(Suspicion.evidence, sa.Text) != sa.cast(found.evidence, sa.Text),
    )
    db.session.execute(
        sa.update(Suspicion)
        .where(
            Suspicion.code == found.code, Suspicion.key == found.key,
            Suspicion.state.in_(UNDECIDED), differs,
        )
        .values(
            amount_fen=found.amount_fen, evidence=found.evidence,
            mode=sa.case((stricter, "hold"), else_=Suspicion.mode),
        )
        .execution_options(synchronize_session=False)
    )
