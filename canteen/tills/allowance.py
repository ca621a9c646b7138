"""Whether a till gave more subsidy by itself than its district lets it, since it last heard."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime

import sqlalchemy as sa

from canteen.canteens.models import Canteen
from canteen.db import UTCDateTime, db
from canteen.tills import entries, ruling
from canteen.tills.entries import Sale
from canteen.tills.models import TillEntry

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
LOOKED_BACK = 2 * ruling.MOST_PER_TILL  # entries, far more than a till sells in a day


def beyond(
    till_id: int, canteen_id: int, number: int, elder_id: int | None, on: date, made_at: datetime
) -> bool:
    """Whether entry `number`, made at an instant, is one subsidised meal too many for this elder,
    or for all of the till's together, since the till last heard from us.

    What a till says of how it priced a sale proves nothing, so every kept one counts.
    """
    given: Counter[int | None] = Counter()
    asked = {"till": till_id, "made": made_at, "from": number - LOOKED_BACK}
    for (body,) in db.session.execute(_SINCE_CONTACT, asked):
        with suppress(entries.BadEntry):
            sale = entries.body("sale", body)
            if isinstance(sale, Sale) and sale.subsidy_fen:
                given[sale.elder] += 1
    district = db.session.scalar(_DISTRICT, {"canteen": canteen_id}) or ""
    rule = ruling.rule_for(district, on)
    return given[elder_id] >= rule.per_elder or given.total() >= rule.per_till


_ENTRY = sa.inspect(TillEntry).local_table.c
_TILL = sa.bindparam("till", type_=_ENTRY.till_id.type)
_MADE = sa.bindparam("made", type_=_ENTRY.made_at.type)
_FROM = sa.bindparam("from", type_=sa.Integer)
_HEARD = _ENTRY.till_id.table.alias("heard").c
# What was received after the last moment at which the till had heard from us when it sold.
_SINCE_CONTACT = sa.select(_ENTRY.body).where(
    _ENTRY.till_id == _TILL, _ENTRY.number > _FROM, _ENTRY.kind == "sale", _ENTRY.kept,
    _ENTRY.made_at <= _MADE,
    _ENTRY.received_at
    > sa.select(sa.func.coalesce(sa.func.max(_HEARD.received_at), sa.literal(NEVER, UTCDateTime)))
    .where(_HEARD.till_id == _TILL, _HEARD.number > _FROM, _HEARD.received_at <= _MADE)
    .scalar_subquery(),
)
_DISTRICT = sa.select(Canteen.district_code).where(
    Canteen.id == sa.bindparam("canteen", type_=Canteen.id.type)
)
