"""ID numbers (居民身份证号): checked, encrypted, found by a keyed hash, shown masked."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from datetime import date
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from stdnum.cn import ric as standard
from stdnum.exceptions import InvalidComponent
from stdnum.util import clean

from canteen import config
from canteen.errors import Refused
from canteen.id_numbers import PROVINCES
from canteen.words import Text

FIELD = "id_number"
NONCE = 12


class BadIdNumber(Refused):
    """The ID number is not well formed. The refusal never repeats the number."""

    code = "bad_id_number"
    text = Text(
        "身份证号应为 18 位（前 17 位为数字）",
        "An ID number has 18 characters, the first 17 of them digits",
    )


class WrongChecksum(BadIdNumber):
    """The last character does not fit the others: a digit was misread or mistyped."""

    code = "wrong_checksum"
    text = Text(
        "身份证号校验位不对，请核对有没有看错或输错一位",
        "The ID number's check character does not fit: one of its digits is wrong",
    )


class UnreadableCipher(RuntimeError):
    """A stored ID number does not open: another key, or it was moved to another elder's row."""


def checked(given: str) -> str:
    """The ID number in plain form, 18 characters.

    GB 11643-1999: region, birth date, sequence, check character by ISO 7064 MOD 11-2. The first
    two digits must be a province; counties are not looked up, because every list of them misses
    some that people were really born in. Refuses with BadIdNumber or WrongChecksum.
    """
    number = clean(str(given), " -").strip().upper()
    if len(number) != 18 or not (number[:17].isascii() and number[:17].isdigit()):
        raise BadIdNumber(field=FIELD)
    if number[:2] not in PROVINCES:
        raise BadIdNumber(
            Text("身份证号开头的地区代码不存在", "The ID number begins with no known region"),
            field=FIELD,
        )
    if number[-1] != standard.calc_check_digit(number):
        raise WrongChecksum(field=FIELD)
    birth_date(number)
    return number


def birth_date(number: str) -> date:
    """The birth date inside an ID number. Refuses with BadIdNumber when it is not a day."""
    try:
        return standard.get_birth_date(number)
    except (InvalidComponent, ValueError):
        raise BadIdNumber(
            Text("身份证号里的出生日期不存在", "The birth date inside the ID number is not a day"),
            field=FIELD,
        ) from None


def hash_of(number: str) -> str:
    """The keyed hash by which an ID number is found again: HMAC-SHA256, hex."""
    key = bytes.fromhex(config.current().hash_key)
    return hmac.new(key, b"ric:" + number.encode(), hashlib.sha256).hexdigest()


def encrypt(number: str, ric_hash: str) -> bytes:
    """AES-256-GCM of the number, bound to its row's hash so that it opens nowhere else."""
    nonce = os.urandom(NONCE)
    return nonce + _cipher(config.current().cipher_key).encrypt(
        nonce, number.encode(), ric_hash.encode()
    )


def decrypt(cipher: bytes, ric_hash: str) -> str:
    """The number again. Raises UnreadableCipher when the key or the row is not its own."""
    cipher = bytes(cipher)
    try:
        plain = _cipher(config.current().cipher_key).decrypt(
            cipher[:NONCE], cipher[NONCE:], ric_hash.encode()
        )
    except InvalidTag:
        raise UnreadableCipher("an ID number does not open with this key in this row") from None
    return plain.decode()


def mask(number: str) -> str:
    """The number as people may see it: its last four, "**************1234".

    The region stays hidden too: next to a birth date it would give the whole number away.
    """
    return "*" * 14 + number[-4:] if len(number) == 18 else "*" * len(number)


def scrub(text: str) -> str:
    """A text in which nothing as long as an ID number is left to read."""
    return re.sub(r"\d{14,}[\dXx]?", lambda found: "*" * len(found[0]), text, flags=re.ASCII)


def make(region: str, birth: date, sequence: int) -> str:
    """A number with a right check character, for demonstrations and tests.

    Regions 1299xx were never given to a county, so the number belongs to nobody.
    """
    number = f"{region}{birth:%Y%m%d}{sequence:03d}"
    return number + standard.calc_check_digit(number + "0")


@lru_cache(maxsize=4)
def _cipher(key: str) -> AESGCM:
    return AESGCM(bytes.fromhex(key))
