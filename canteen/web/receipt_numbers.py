"""What people copy from a receipt: the order's number, or till, number and check code."""

from __future__ import annotations

import re

from canteen.adjustments import claiming
from canteen.web.forms import BadField, whole
from canteen.words import Text

ON_PAPER = re.compile(r"(?:^|\D)(\d{1,10})\D+(\d{1,10})\D+([0-9a-fA-F]{8})\W*$", re.ASCII)


def order_of(given: str, field: str = "receipt") -> tuple[int, bool]:
    """The order a text names, and whether the receipt's check code proves it.

    "1234" is an order's number; "12-345-ab12cd34", or the address behind the receipt's code,
    names till, number and check code. Refuses with BadField and NoSuchReceipt.
    """
    plain = given.strip()
    number = whole(plain)
    if number is not None:
        return number, False
    found = ON_PAPER.search(plain)
    if found is None:
        raise BadField(
            Text("请照小票填写，例如 1234 或 12-345-ab12cd34",
                 "Copy it from the receipt, such as 1234 or 12-345-ab12cd34"),
            field=field,
        )  # fmt: skip
    return claiming.by_receipt(int(found[1]), int(found[2]), found[3]), True
