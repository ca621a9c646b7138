"""The cashier's door: the tablet on the counter, its orders, its day and its menus."""

from __future__ import annotations

from canteen.web.cashier import (
    day,
    journal,
    kitchen,
    menus,
    orders,
    paying,
    problems,
    receipts,
    returning,
    shell,
    shifts,
    tablet,
    tills,
)
from canteen.web.cashier.door import blueprint

__all__ = [
    "blueprint", "day", "journal", "kitchen", "menus", "orders", "paying", "problems",
    "receipts", "returning", "shell", "shifts", "tablet", "tills",
]
