"""Receipt checks made ahead: the code of each coming sale and its QR, drawn before it is sold.

A tablet without network must print a receipt that anybody can check, but must not hold the means
to make up codes for numbers it never sold; so it gets those of its next numbers only.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

import segno

from canteen.tills.keys import key_of, receipt_code
from canteen.tills.models import Till

AHEAD = 200
LEAST_VERSION = 3
MASK = 3  # any of the eight reads well; choosing the best for each takes six times as long


def slips(till: Till, base: str, ahead: int = AHEAD) -> dict[str, Any]:
    """The codes and QR codes of a till's next numbers: {"first", "size", "codes", "bits"}.

    `base` is the address of this server, without a slash at its end. `size` is how many modules a
    side has, the quiet border not counted; `bits` are the modules row by row, dark as 1, the
    highest bit of a byte first, filled up with zeros at the end only, in base64.
    """
    key, first = key_of(till), till.head + 1
    numbers = range(first, first + ahead)
    codes = [receipt_code(key, number) for number in numbers]
    paths = [path(till.id, number, code) for number, code in zip(numbers, codes, strict=True)]
    version = max(LEAST_VERSION, _version(len(base) + max(map(len, paths))))
    bits = [_bits(base + one, version) for one in paths]
    return {"first": first, "size": 17 + 4 * version, "codes": codes, "bits": bits}


def path(till_id: int, number: int, code: str) -> str:
    """Where a receipt is checked."""
    return f"/r/{till_id}/{number}/{code}"


@lru_cache(maxsize=64)
def _version(length: int) -> int:
    """The smallest QR version that holds an address of that length."""
    return int(segno.make("x" * length, error="m", micro=False, mode="byte").version)


@lru_cache(maxsize=8_000)
def _bits(address: str, version: int) -> str:
    """The modules of one address; kept, for most numbers are asked for again and again."""
    drawn = segno.make(
        address, error="m", version=version, mask=MASK, micro=False, boost_error=False
    )
    row = "".join("1" if module else "0" for line in drawn.matrix for module in line)
    whole = int(row.ljust(-(-len(row) // 8) * 8, "0"), 2)
    return base64.b64encode(whole.to_bytes(-(-len(row) // 8), "big")).decode()
