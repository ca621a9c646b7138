"""What a payout account may look like, an elder's or an enterprise's."""

from __future__ import annotations

import re

from canteen.errors import Refused
from canteen.words import Text


class BadAccount(Refused):
    """A payout account is letters and digits only."""

    code = "bad_account"
    text = Text(
        "收款账户只能是 4 至 60 位字母或数字",
        "A payout account is 4 to 60 letters or digits",
    )


def checked(given: str | None) -> str | None:
    """A payout account without its spaces, or None: letters, digits, - and _, 4 to 60 of them."""
    plain = "".join((given or "").split())
    if not plain:
        return None
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_-]{3,59}", plain, re.ASCII):
        raise BadAccount(field="payout_account")
    return plain
