"""Pinyin initials of a name, one spelling for each way its characters may be read."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

LONGEST = 12
MOST = 16


@lru_cache(maxsize=20_000)
def of_character(character: str) -> tuple[str, ...]:
    """The initials a character may have, the usual one first: 曾 → z, c; 单 → d, c, s.

    Read one by one, for a surname's own reading is not the one a dictionary of words gives.
    """
    if character.isascii():
        return (character.lower(),) if character.isalnum() else ()
    from pypinyin import Style, pinyin  # its dictionaries: 0.3 s and 50 MB, for new names only

    readings = pinyin(
        character, style=Style.FIRST_LETTER, heteronym=True, errors="ignore", strict=False
    )
    # ê, ḿ and the like are readings of interjections; nobody types them.
    return tuple(
        dict.fromkeys(one for one in (readings[0] if readings else ()) if one.isascii() and one)
    )


@lru_cache(maxsize=50_000)
def of_name(name: str) -> tuple[str, ...]:
    """Every spelling a cashier may type for a name, at most 16: 曾乐 → cl, zl, cy, zy.

    Every reading of the surname comes before rare readings of the other characters, so that the
    limit never costs one of them.
    """
    readings = [found for found in map(of_character, name) if found][:LONGEST]
    if not readings:
        return ()
    usual = "".join(found[0] for found in readings[1:])
    spellings = dict.fromkeys(first + usual for first in readings[0])
    for spelling in product(*readings):
        if len(spellings) >= MOST:
            break
        spellings["".join(spelling)] = None
    return tuple(spellings)
