"""Taking in the city's districts and streets from a list, as often as it changes."""

from __future__ import annotations

import csv
from pathlib import Path

from canteen.db import changed, db, insert
from canteen.errors import Refused
from canteen.territory.models import Territory, city_of, level_of
from canteen.words import Text

COLUMNS = ("code", "name_zh", "name_en")


class BadTerritory(Refused):
    """A row of the list is not a territory of this city; `row` and `field` say where."""

    code = "bad_territory"


def read(path: Path, city: str) -> list[dict[str, str | None]]:
    """The territories of a CSV file (UTF-8; code, name_zh, name_en), each below its parent.

    Refuses with BadTerritory naming row and field: a file that is not such a list, a code that is
    not of this city (6 digits a city or district, 9 a street), a missing name, a street whose
    district is not in the file, the same code twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as broken:
        raise _bad("文件无法读取，请存成 UTF-8 的 CSV", "Save it as a UTF-8 CSV file") from broken
    if not rows or not set(COLUMNS) <= set(rows[0]):
        raise _bad("须有三列：code, name_zh, name_en", "Needs the columns code, name_zh, name_en")
    found: dict[str, dict[str, str | None]] = {}
    for number, row in enumerate(rows, 2):
        code = (row["code"] or "").strip()
        if not code.isascii() or not code.isdigit() or len(code) not in (6, 9):
            raise _bad("代码须为 6 位或 9 位数字", "The code has 6 or 9 digits", "code", number)
        if city_of(code) != city:
            raise _bad(f"不在本市({city})", f"Not of this city ({city})", "code", number)
        if code in found:
            raise _bad("代码重复", "The code stands twice", "code", number)
        for name in ("name_zh", "name_en"):
            if not 1 <= len((row[name] or "").strip()) <= 40:
                raise _bad("名称为 1 至 40 个字", "A name has 1 to 40 characters", name, number)
        above = {"city": None, "district": city, "street": code[:6]}[level_of(code)]
        found[code] = {
            "code": code, "level": level_of(code), "parent_code": above,
            "name_zh": (row["name_zh"] or "").strip(), "name_en": (row["name_en"] or "").strip(),
        }
    for number, row in enumerate(found.values(), 2):
        if row["parent_code"] and row["parent_code"] not in found:
            raise _bad("上级不在表中", "What it lies in is not in the list", "code", number)
    return list(found.values())


def take_in(rows: list[dict[str, str | None]]) -> int:
    """Add what is new and rename what is called otherwise; gives how many changed. Nothing is
    removed: what happened on a ground stays there."""
    taking = insert(Territory.__table__)
    named = {name: taking.excluded[name] for name in ("name_zh", "name_en")}
    differs = (Territory.name_zh != taking.excluded.name_zh) | (
        Territory.name_en != taking.excluded.name_en
    )
    count = 0
    for level in ("city", "district", "street"):  # parents before what lies in them
        of_level = [row for row in rows if row["level"] == level]
        if of_level:
            count += changed(
                db.session.execute(
                    taking.values(of_level).on_conflict_do_update(
                        index_elements=["code"], set_=named, where=differs
                    )
                )
            )
    return count


def _bad(zh: str, en: str, field: str | None = None, row: int | None = None) -> BadTerritory:
    return BadTerritory(Text(zh, en), field=field, row=row)
