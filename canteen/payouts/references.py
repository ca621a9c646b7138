"""The number a bank gave a transfer, as a person typed it off a paper."""

from __future__ import annotations

import unicodedata

from canteen.errors import Refused
from canteen.words import Text

LONGEST = 60


class BadReference(Refused):
    """The bank's reference is missing."""

    code = "bad_reference"
    text = Text("请填写银行流水号", "Enter the bank's reference")


def as_printed(typed: str) -> str:
    """A reference as a bank prints it: full-width or not, with more spaces or fewer; "" if none."""
    return " ".join(unicodedata.normalize("NFKC", typed).split())[:LONGEST].strip()


def alike(typed: str) -> str:
    """What two spellings of one reference have in common: no spaces, capitals."""
    return as_printed(typed).replace(" ", "").upper()
