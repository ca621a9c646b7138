"""The cashier's door: the tablet on the counter, its orders, its day and its menus."""

from __future__ import annotations

from canteen.web.cashier import day, journal, menus, orders, paying, receipts, sale, shifts
from canteen.web.cashier.door import blueprint

__all__ = ["blueprint", "day", "journal", "menus", "orders", "paying", "receipts", "sale", "shifts"]
