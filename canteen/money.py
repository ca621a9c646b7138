"""Money is integers of fen: read it, show it, take a rate, share it out without losing one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from canteen.errors import Refused
from canteen.words import Text

BASIS = 10_000
MOST_FEN = 100_000_000_00  # a hundred million yuan: anything above is a slip of the hand


class BadAmount(Refused):
    """The text is not an amount of yuan with at most two decimals."""

    code = "bad_amount"
    text = Text(
        "“{given}”不是有效金额，请写成 13.00 这样",
        "“{given}” is not an amount; write it like 13.00",
    )


def parse_yuan(given: str, *, field: str | None = None) -> int:
    """Fen from what a person typed as yuan ("13", "13.5", "13.50", "¥1,300.00").

    Refuses anything else with BadAmount: more than two decimals, signs, words.
    """
    plain = str(given).strip().lstrip("¥￥").replace(",", "").strip()
    found = re.fullmatch(r"(\d{1,9})(?:\.(\d{1,2}))?", plain, re.ASCII)
    if not found:
        raise BadAmount(field=field, given=str(given)[:40])
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals and thousands marks: 130050 → "1,300.50"."""
    sign = "−" if fen < 0 else ""
    whole, rest = divmod(abs(int(fen)), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def take_rate(fen: int, rate_bp: int) -> int:
    """A rate in basis points of an amount ≥ 0, half a fen rounded up: the one rounding there is."""
    return (fen * rate_bp + BASIS // 2) // BASIS


def share_out(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights so that the parts sum to it exactly.

    Each part is rounded down; the fen left over go one by one to the parts that lost most, the
    earlier part first when two lost the same.
    """
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("weights must sum to more than nothing")
    parts = [total_fen * weight // whole for weight in weights]
    by_loss = sorted(
        range(len(weights)), key=lambda i: (-(total_fen * weights[i] % whole), i)
    )
    for i in by_loss[: total_fen - sum(parts)]:
        parts[i] += 1
    return parts
