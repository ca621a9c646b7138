"""The demo's changed accounts: an enterprise's that may be confirmed, an elder's first one."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from canteen import clock
from canteen.access.models import User
from canteen.access.users import actor_of
from canteen.db import db
from canteen.elders.models import Elder
from canteen.payouts import changing_accounts


def ask_for_some() -> None:
    """Somebody has asked days ago; another person of the bureau finds it waiting."""
    at = clock.now() - timedelta(days=4)
    operator = db.session.scalars(
        sa.select(User).where(User.role == "operator").order_by(User.id.desc()).limit(1)
    ).first()  # fmt: skip
    if operator is not None and operator.operator_id is not None:
        changing_accounts.ask(
            f"acct_demo_newer_{7000 + operator.operator_id}", actor_of(operator), at=at,
            operator_id=operator.operator_id, reason="换了开户行",
        )  # fmt: skip
    street = db.session.scalars(
        sa.select(User).where(User.role == "street").order_by(User.id).limit(1)
    ).first()  # fmt: skip
    if street is None:
        return
    elder_id = db.session.scalar(
        sa.select(sa.func.min(Elder.id)).where(
            Elder.payout_account.is_(None), Elder.street_code == street.territory_code,
            Elder.status == "alive",
        )
    )  # fmt: skip
    if elder_id is not None:
        changing_accounts.ask(
            f"acct_demo_elder_{elder_id:04d}", actor_of(street), at=at, elder_id=elder_id
        )
