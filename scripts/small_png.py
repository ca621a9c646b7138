"""A screenshot as a picture of at most 256 colours: a third of the bytes, no difference to see."""

from __future__ import annotations

import struct
import zlib
from collections import Counter

SIGN = b"\x89PNG\r\n\x1a\n"


def small(png: bytes) -> bytes:
    """The same picture with a palette of its most frequent colours; others take the nearest."""
    width, height, pixels = _pixels(png)
    counted = Counter(pixels[at : at + 3] for at in range(0, len(pixels), 3))
    palette = [colour for colour, _ in counted.most_common(256)]
    number = {colour: index for index, colour in enumerate(palette)}
    for colour in counted.keys() - number.keys():
        number[colour] = min(range(len(palette)), key=lambda i: _apart(palette[i], colour))
    rows = bytearray()
    for at in range(0, len(pixels), width * 3):
        rows.append(0)  # as it stands: text on plain ground packs best unfiltered
        rows += bytes(number[pixels[p : p + 3]] for p in range(at, at + width * 3, 3))
    return (
        SIGN
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        + _chunk(b"PLTE", b"".join(palette))
        + _chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + _chunk(b"IEND", b"")
    )


def _apart(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _pixels(png: bytes) -> tuple[int, int, bytes]:
    """Width, height and the RGB bytes of a picture as Chromium takes it: 8 bits, no alpha."""
    at, packed, head = len(SIGN), b"", b""
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        head = data if kind == b"IHDR" else head
        packed += data if kind == b"IDAT" else b""
        at += size + 12
    width, height, bits, colours, _, _, interlaced = struct.unpack(">IIBBBBB", head)
    if (bits, colours, interlaced) != (8, 2, 0):
        raise ValueError("only a plain picture of 8 bits and no alpha can be made small")
    raw, stride, pixels, above = zlib.decompress(packed), width * 3, bytearray(), bytes(width * 3)
    for start in range(0, height * (stride + 1), stride + 1):
        above = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), above)
        pixels += above
    return width, height, bytes(pixels)


def _unfiltered(kind: int, line: bytearray, above: bytes) -> bytes:
    """One row without its PNG filter (https://www.w3.org/TR/png/#9Filters)."""
    for at in range(len(line) if kind else 0):
        left, corner = (line[at - 3], above[at - 3]) if at >= 3 else (0, 0)
        up = above[at]
        if kind == 4:
            guess = left + up - corner
            by_nearness = ((abs(guess - one), rank, one)
                           for rank, one in enumerate((left, up, corner)))  # fmt: skip
            added = min(by_nearness)[2]
        else:
            added = (left, up, (left + up) // 2)[kind - 1]
        line[at] = (line[at] + added) & 255
    return bytes(line)
