"""A phone that is changed: the number there was is told, for it may be somebody's only warning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from canteen.db import db, insert
from canteen.elders.models import Elder
from canteen.notices.models import Notice
from canteen.words import Text

KIND = "phone_change"
ACCOUNT = "bank_change"  # the kind of whatever was ever told about an elder's account
CHANGED = Text(
    "{who}在老年助餐登记的联系电话不再是这个号码。如果不是您要求的，请马上联系街道或区民政局。",
    "This number is no longer the one on record for {who}'s meals. If you did not ask for this,"
    " tell your street office or district bureau at once.",
)


def tell_former(changed: Sequence[tuple[int, str, str]], by: str, *, at: datetime) -> None:
    """Tell the phones there were (elder's id, name, former phone) that they are so no longer.

    For elders who are, were or are to be paid to an account: whoever wants its warnings to go
    elsewhere changes the phone first. The message keeps the number, so that `former_of` knows it,
    and in its key `by` whom: they do not say themselves that it was told.
    """
    rows = []
    paid = _ever_paid([elder_id for elder_id, _, _ in changed])
    for elder_id, who, phone in changed:
        if elder_id not in paid:
            continue
        said = CHANGED.format(who=who)
        rows.append({
            "key": f"phone:{elder_id}:{at:%Y%m%d%H%M%S%f}{changed_by(by)}"[:80], "kind": KIND,
            "elder_id": elder_id, "to_phone": phone[:20], "zh": said.zh[:400],
            "en": said.en[:600], "path": "", "made_at": at,
        })  # fmt: skip
    if rows:
        made = insert(Notice.__table__).values(rows)
        db.session.execute(made.on_conflict_do_nothing(index_elements=["key"]))


def changed_by(by: str) -> str:
    """How the key of a message ends that somebody's change of a phone called for."""
    return f":{by}"


def _ever_paid(elder_ids: Sequence[int]) -> set[int]:
    asked = sa.exists().where(Notice.elder_id == Elder.id, Notice.kind == ACCOUNT)
    return set(
        db.session.scalars(
            sa.select(Elder.id).where(
                Elder.id.in_(elder_ids), Elder.payout_account.is_not(None) | asked
            )
        )
    )


def former_of(elder_ids: Sequence[int], since: datetime) -> dict[int, list[str]]:
    """The phones elders had at any time since an instant and have no longer, the first one first.

    By elder; whoever kept their phone is not among them.
    """
    found: dict[int, list[str]] = {}
    rows = db.session.execute(
        sa.select(Notice.elder_id, Notice.to_phone)
        .where(Notice.kind == KIND, Notice.elder_id.in_(elder_ids), Notice.made_at >= since)
        .order_by(Notice.id)
    )
    for elder_id, phone in rows:
        phones = found.setdefault(elder_id, [])
        if phone not in phones:
            phones.append(phone)
    return found
