"""The bureau's desk: street, district and city review, decide and answer for every fen."""

from canteen.web.bureau import (  # noqa: F401
    applying,
    canteens,
    check_settings,
    correcting,
    desk,
    drafts,
    elders,
    evaluation,
    exports,
    figures,
    findings,
    ledger,
    meals,
    offline,
    payouts,
    policies,
    prices,
    records,
    register,
    statements,
    stories,
    tasks,
    upkeep,
    whatif,
)
from canteen.web.bureau.door import blueprint

__all__ = ["blueprint"]
