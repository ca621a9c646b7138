"""The accounts a register file names, asked for at once, to be confirmed one by one or together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from canteen.audit.recording import record_each
from canteen.db import db
from canteen.elders.models import Elder
from canteen.payouts.changing_accounts import row_of, traced
from canteen.payouts.models import BankChange
from canteen.payouts.warning import paid_before, warn
from canteen.territory.actors import Actor

AT_ONCE = 500


def ask_each(accounts: Mapping[int, str | None], by: Actor, *, at: datetime) -> int:
    """Ask for the accounts of many elders at once, as a register file names them; how many.

    Those on record already, and elders whose change waits to be confirmed, are left out.
    """
    asked = 0
    ids = sorted(accounts)
    for start in range(0, len(ids), AT_ONCE):
        asked += _ask_some({id_: accounts[id_] for id_ in ids[start : start + AT_ONCE]}, by, at)
    return asked


def _ask_some(accounts: Mapping[int, str | None], by: Actor, at: datetime) -> int:
    waits = sa.select(BankChange.elder_id).where(
        BankChange.state == "waiting", BankChange.elder_id.is_not(None)
    )
    elders = db.session.execute(
        sa.select(Elder.id, Elder.name, Elder.phone, Elder.payout_account)
        .where(Elder.id.in_(list(accounts)), Elder.id.not_in(waits))
        .order_by(Elder.id)
    ).all()  # fmt: skip
    rows, people, known = [], {}, paid_before(accounts)
    for elder in elders:
        account, old = accounts[elder.id] or "", elder.payout_account or ""
        if account != old:
            people[elder.id] = elder
            waits = bool(old) or elder.id in known
            rows.append(row_of(account, old, by, at, waits=waits, elder_id=elder.id))
    if not rows:
        return 0
    made = db.session.execute(
        sa.insert(BankChange.__table__).returning(BankChange.id, BankChange.elder_id), rows
    ).all()
    by_elder = {row["elder_id"]: row for row in rows}
    warn(
        ((change_id, by_elder[elder_id], people[elder_id]) for change_id, elder_id in made), at
    )
    traces = {change_id: traced(by_elder[elder_id]) for change_id, elder_id in made}
    record_each(by.label, "ask_account", "bank_change", traces)
    return len(rows)
