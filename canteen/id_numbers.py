"""Whether an ID number (居民身份证号, GB 11643-1999) stands in what somebody wrote."""

from __future__ import annotations

import re
import unicodedata

from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent

# The first two digits: provinces, regions and cities of GB/T 2260, Hong Kong to Taiwan included.
PROVINCES = frozenset(
    str(number)
    for first, last in (
        (11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83)
    )
    for number in range(first, last + 1)
)
BETWEEN = re.compile(r"(?<=\d)[\s.·-]+(?=[\dXx])")  # what people put between groups of digits
NUMBER = re.compile(r"(?=(\d{17}[\dXx]))")


def stands_in(text: str) -> bool:
    """Whether eighteen characters of a text, in groups or in wide figures too, begin with a
    province, hold a day of birth and end with the check character that fits."""
    plain = BETWEEN.sub("", unicodedata.normalize("NFKC", text))
    return any(_is_one(found[1].upper()) for found in NUMBER.finditer(plain))


def _is_one(number: str) -> bool:
    if number[:2] not in PROVINCES or number[-1] != ric.calc_check_digit(number):
        return False
    try:
        return 1900 <= ric.get_birth_date(number).year < 2100
    except (InvalidComponent, ValueError):
        return False
