"""The tablet's copy of the sentences of a quote, written from the server's own tables.

`python -m scripts.sentences` writes it; a test fails when the two no longer agree.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from canteen.subsidies import amounts, explaining, shapes
from canteen.words import Text

MODULE = Path(__file__).parent.parent / "canteen/static/js/till/engine/sentences.js"
HEAD = """\
// Every sentence and name a quote is told in. Written by `python -m scripts.sentences` from
// canteen/subsidies/explaining.py: change it there, then write this file again.
"""
TABLES: dict[str, Mapping[str, Text]] = {
    "MEALS": explaining.MEALS,
    "SERVICES": explaining.SERVICES,
    "CARE_LEVELS": explaining.CARE_LEVELS,
    "FUNDERS": explaining.FUNDERS,
    "DAYS": explaining.DAYS,
    "PLACES": amounts.PLACES,
    "CATEGORIES": shapes.CATEGORIES,
    "LACKING": explaining.LACKING,
}


def module() -> str:
    """The text of the module as it should stand."""
    parts = [HEAD]
    for name in ("WEEKDAYS_ZH", "WEEKDAYS_EN", "MONTHS_EN", "GROUNDS"):
        parts.append(f"export const {name} = {_plain(getattr(explaining, name))};\n")
    for name, table in TABLES.items():
        rows = {key: {"zh": text.zh, "en": text.en} for key, text in table.items()}
        parts.append(_table(name, rows))
    sentences = {
        code: {"kind": kind, "zh": text.zh, "en": text.en}
        for code, (kind, text) in explaining.SENTENCES.items()
    }
    parts.append(_table("SENTENCES", sentences))
    return "\n".join(parts)


def _table(name: str, rows: Mapping[str, Mapping[str, str]]) -> str:
    # Without a prototype, a code such as "constructor" finds nothing, as it should.
    lines = [f"export const {name} = {{", "  __proto__: null,"]
    for key, row in rows.items():
        said = [f"    {word}: {_plain(value)}," for word, value in row.items()]
        lines += [f"  {key}: {{", *said, "  },"]
    return "\n".join([*lines, "};", ""])


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    MODULE.write_text(module(), encoding="utf-8")
