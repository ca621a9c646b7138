"""Text in the columns of a receipt printer, where a Chinese character is as wide as two others."""

from __future__ import annotations

ENCODING = "gb18030"
COLUMNS = {"80": 48, "58": 32}  # of the usual 12-dot font


def width(text: str) -> int:
    """How many columns a text takes: a character is wide where the printer's set is two bytes."""
    return sum(1 if len(one.encode(ENCODING)) == 1 else 2 for one in text)


def wrapped(text: str, most: int) -> list[str]:
    """A text in lines of at most `most` columns; English breaks between words where it can."""
    lines, line = [], ""
    for word in _words(text):
        if width(line) + width(word.rstrip()) > most and line:
            lines.append(line.rstrip())
            line = ""
        for one in word:
            if width(line) + width(one) > most:
                lines.append(line.rstrip())
                line = ""
            line += one
    return [*lines, line.rstrip()] if line.strip() or not lines else lines


def _words(text: str) -> list[str]:
    """What may not be torn apart: a run of narrow characters with the space after it."""
    found: list[str] = []
    for one in text:
        narrow = width(one) == 1
        if found and narrow and width(found[-1][-1]) == 1 and found[-1][-1] != " ":
            found[-1] += one
        else:
            found.append(one)
    return found


def sides(left: str, right: str, most: int) -> list[str]:
    """One text at the left edge, one at the right; the left one takes more lines if it must."""
    room = most - width(right) - 1
    if room < most // 3:  # the right one alone nearly fills the line
        return [*wrapped(left, most), " " * max(most - width(right), 0) + right]
    first, *rest = wrapped(left, room)
    gap = " " * (most - width(first) - width(right))
    return [first + gap + right, *rest]


def centred(text: str, most: int) -> list[str]:
    """Lines in the middle of the paper."""
    return [" " * ((most - width(line)) // 2) + line for line in wrapped(text, most)]
