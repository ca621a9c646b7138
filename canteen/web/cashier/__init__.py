"""The cashier's door: the tablet on the counter, its orders, its day and its menus."""

from __future__ import annotations

from canteen.web.cashier import day, menus, orders, paying, receipts, sale
from canteen.web.cashier.door import blueprint

__all__ = ["blueprint", "day", "menus", "orders", "paying", "receipts", "sale"]
