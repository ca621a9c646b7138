"""The elder's door (长辈版): order in a few taps, see one's orders, card, family and money."""

from __future__ import annotations

from canteen.web.elder import (
    choosing,
    claims,
    home,
    mine,
    ordering,
    orders,
    paying,
    statements,
)
from canteen.web.elder.door import blueprint

__all__ = [
    "blueprint", "choosing", "claims", "home", "mine", "ordering", "orders", "paying",
    "statements",
]  # fmt: skip
