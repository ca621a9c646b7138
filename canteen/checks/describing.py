"""The catalogue as the documentation shows it, written by the checks themselves."""

from __future__ import annotations

from canteen.checks.catalogue import CHECKS
from canteen.checks.parts import FAMILIES, Check

HEAD = "| Check | Finds | Default | Thresholds | Why |\n|---|---|---|---|---|"


def tables() -> str:
    """A heading and a table for each family, in the order of the catalogue."""
    pieces = []
    for family, title in FAMILIES.items():
        rows = [row(check) for check in CHECKS if check.family == family]
        pieces.append("\n".join((f"### {title.en} ({title.zh})", "", HEAD, *rows)))
    return "\n\n".join(pieces)


def row(check: Check) -> str:
    """The line of one check."""
    limits = ", ".join(f"{name} {value:,}" for name, value in check.thresholds.items())
    cells = (
        f"`{check.code}`", f"{check.title.en} ({check.title.zh})", check.mode, limits or "–",
        check.why.en,
    )
    return f"| {' | '.join(cells)} |"
