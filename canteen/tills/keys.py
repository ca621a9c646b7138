"""A till's key, and what it signs: journal entries, short hashes of the pack, receipt codes."""

from __future__ import annotations

import hashlib
import hmac

from canteen import config
from canteen.tills.models import Till

RECEIPT_LENGTH = 8  # hex characters on a receipt


def key_for(till_id: int, salt: str) -> bytes:
    """The key of a till by its id and salt: 32 bytes that only the server's secret can derive."""
    return _hmac(bytes.fromhex(config.current().hash_key), f"till:{till_id}:{salt}")


def key_of(till: Till) -> bytes:
    """The key of a till: the tablet keeps it, the server derives it again whenever it needs it."""
    return key_for(till.id, till.salt)


def mac(key: bytes, prev_mac: str, number: int, body: str) -> str:
    """The signature of an entry, hex: it covers its text, its number and the entry before it.

    `prev_mac` of the first entry is "".
    """
    return _hmac(key, f"{prev_mac}\n{number}\n{body}").hex()


def signed(key: bytes, prev_mac: str, number: int, body: str, given: str) -> bool:
    """Whether `given` is the signature of this entry; takes equally long either way."""
    return hmac.compare_digest(mac(key, prev_mac, number, body).encode(), given.encode())


def short(key: bytes, text: str, bits: int) -> str:
    """The first `bits` bits of the keyed hash of a text, as hex of whole digits.

    Bits that do not fill the first hex digit leave its top bits zero: 14 bits are four digits
    from "0000" to "3fff".
    """
    digest = _hmac(key, text)
    whole = int.from_bytes(digest, "big") >> (len(digest) * 8 - bits)
    return f"{whole:0{-(-bits // 4)}x}"


def receipt_code(key: bytes, number: int) -> str:
    """What a receipt shows so that anyone can check it: 8 hex characters for an entry's number."""
    return _hmac(key, f"receipt:{number}").hex()[:RECEIPT_LENGTH]


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), hashlib.sha256)
