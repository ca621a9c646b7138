"""Merging a batch of checked people into the register: a few statements for two thousand rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from canteen.db import db, is_postgresql
from canteen.elders import phones, ric
from canteen.elders.enrolling import AlreadyEnrolled, write_initials
from canteen.elders.models import Elder, ElderFact
from canteen.elders.planning import Plan, Ready, Told
from canteen.errors import CanteenError, Conflict
from canteen.loading import load
from canteen.territory.actors import Actor
from canteen.words import Text

ELDERS, FACTS = Elder.__table__, ElderFact.__table__
# What a file may say of a person, and the columns of the table that follow from it.
SAID = {
    "name": ("name",), "household": ("household",), "street_code": ("street_code",),
    "phone": ("phone", "phone_last4"), "diet_notes": ("diet_notes",),
}  # fmt: skip


class RecordedDeceased(Conflict):
    """The file says a person is alive whose death is recorded; a list does not undo that."""

    code = "recorded_deceased"
    text = Text(
        "登记为已故；如登记有误，请先在老人档案中撤回",
        "Recorded as deceased; if that is wrong, withdraw it on the elder's page first",
    )


@dataclass
class Tally:
    """Rows counted so far, whether any status may have changed, and accounts to ask for."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    statuses: bool = False
    accounts: dict[int, str | None] = field(default_factory=dict)


def hold_register() -> None:
    """Let nobody else write to the register until this transaction ends; everybody may read, and
    tills go on selling. SQLite's one writer is this one already."""
    if is_postgresql():
        db.session.execute(
            sa.text("LOCK TABLE elders, elder_facts IN SHARE ROW EXCLUSIVE MODE")
        )


def merge_batch(
    batch: Sequence[Any], fields: frozenset[str], kinds: frozenset[str], by: Actor, now: datetime,
    today: date, tally: Tally, *, dry_run: bool,
) -> list[tuple[int, CanteenError]]:  # fmt: skip
    """Merge one batch; gives the rows that may not be merged and why. A dry run only counts."""
    known = _existing([ready.person.ric_hash for ready in batch])
    told = Told(kinds, by, now, today)
    columns = [column for name, its in SAID.items() if name in fields for column in its]
    on_record = _facts_of([row.id for row in known.values()])
    wrong: list[tuple[int, CanteenError]] = []
    new: list[Any] = []
    changed: list[dict[str, Any]] = []
    renamed: dict[int, str] = {}
    moved: list[tuple[int, str, str]] = []
    plan = Plan(told)
    for ready in batch:
        row = known.get(ready.person.ric_hash)
        tally.statuses |= bool(ready.returned) or any(
            wish.kind == "status" for wish in ready.person.facts
        )
        if row is None:
            new.append(ready)
            continue
        account = ready.person.columns["payout_account"]
        if "payout_account" in fields and (row.payout_account or None) != account:
            tally.accounts[row.id] = account
        held = on_record.get(row.id, [])
        refusal = _refusal(ready, row, held, by)
        if refusal is not None:
            wrong.append((ready.row, refusal))
            continue
        differs = {
            name: ready.person.columns[name]
            for name in columns if getattr(row, name) != ready.person.columns[name]
        }  # fmt: skip
        before = plan.size
        plan.facts_of(row.id, ready, held)
        if differs:
            kept = {name: getattr(row, name) for name in columns} | differs
            changed.append({f"new_{name}": value for name, value in kept.items()} | {"row": row.id})
            if "name" in differs:
                renamed[row.id] = differs["name"]
            if "phone" in differs and row.phone:
                moved.append((row.id, row.name, row.phone))
        if differs or plan.size > before:
            tally.updated += 1
        else:
            tally.unchanged += 1
    tally.new += len(new)
    if dry_run:
        return wrong
    if new:
        ids = _insert(new, now)
        tally.accounts |= {
            ids[ready.person.ric_hash]: account for ready in new
            if (account := ready.person.columns["payout_account"])
        }  # fmt: skip
        write_initials({ids[ready.person.ric_hash]: ready.person.columns["name"] for ready in new})
        for ready in new:
            plan.facts_of(ids[ready.person.ric_hash], ready, [])
    if changed:
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in columns}
        db.session.connection().execute(
            sa.update(ELDERS).where(ELDERS.c.id == sa.bindparam("row"))
            .values(**values, updated_at=now), changed,
        )
    phones.tell_former(moved, by.label, at=now)
    if renamed:
        write_initials(renamed)
    plan.carry_out()
    return wrong


def _refusal(ready: Ready, row: Any, held: Sequence[Any], by: Actor) -> CanteenError | None:
    if not by.reaches(row.street_code):
        return AlreadyEnrolled(field=ric.FIELD)
    if ready.returned and any(fact.value == "deceased" for fact in held):
        return RecordedDeceased(field="status")
    return None


def _existing(hashes: list[str]) -> dict[str, Any]:
    said = (column for its in SAID.values() for column in its)
    names = ("id", "ric_hash", "payout_account", *said)
    wanted = sa.select(*(ELDERS.c[name] for name in names)).where(ELDERS.c.ric_hash.in_(hashes))
    return {row.ric_hash: row for row in db.session.execute(wanted)}


def _facts_of(elder_ids: list[int]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    if elder_ids:
        wanted = sa.select(FACTS).where(FACTS.c.elder_id.in_(elder_ids))
        for row in db.session.execute(wanted.order_by(FACTS.c.valid_from)):
            found.setdefault(row.elder_id, []).append(row)
    return found


def _insert(new: list[Any], now: datetime) -> dict[str, int]:
    said = tuple(name for name in new[0].person.columns if name != "payout_account")
    load(
        Elder,
        (*said, "ric_hash", "ric_cipher", "status", "registered_at", "updated_at"),
        (
            (*(ready.person.columns[name] for name in said), ready.person.ric_hash,
             ric.encrypt(ready.person.number, ready.person.ric_hash), "alive", now, now)
            for ready in new
        ),
    )  # fmt: skip
    return {key: row.id for key, row in _existing([one.person.ric_hash for one in new]).items()}
