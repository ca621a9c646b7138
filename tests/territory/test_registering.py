"""A city's ground is taken in from a list: whole or not at all, and again without harm."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.cli import main
from canteen.db import db
from canteen.territory.models import Territory
from canteen.territory.registering import BadTerritory, read

GOOD = (
    "code,name_zh,name_en\n"
    "120103001,春和街道,Chunhe Street\n120103,河西区,Hexi\n120000,天津市,Tianjin\n"
)


def listed(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "streets.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_list_is_taken_in_and_taken_in_again(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    first = runner.invoke(main, ["territories", str(listed(tmp_path, GOOD))], obj=None)
    assert "3 territories, 3 new or renamed" in first.output
    renamed = GOOD.replace("Chunhe Street", "Spring Street")
    again = runner.invoke(main, ["territories", str(listed(tmp_path, renamed))])
    assert "1 new or renamed" in again.output
    rows = db.session.execute(sa.select(Territory.code, Territory.level, Territory.parent_code))
    assert {tuple(row) for row in rows} == {
        ("120000", "city", None), ("120103", "district", "120000"),
        ("120103001", "street", "120103"),
    }


@pytest.mark.parametrize(
    ("text", "field", "row"),
    [
        ("hello", None, None),
        ("code,name_zh\n120000,天津市\n", None, None),
        (GOOD + "12010,某区,Short\n", "code", 5),
        (GOOD + "310107,普陀区,Putuo\n", "code", 5),
        (GOOD + "120103,河西区,Hexi\n", "code", 5),
        (GOOD + "120104,,Nankai\n", "name_zh", 5),
        (GOOD + "120104001,某街道,Street\n", "code", 5),
    ],
)
def test_a_faulty_list_is_refused_by_row_and_field(
    tmp_path: Path, text: str, field: str | None, row: int | None
) -> None:
    with pytest.raises(BadTerritory) as refusal:
        read(listed(tmp_path, text), "120000")
    assert (refusal.value.field, refusal.value.row) == (field, row)


def test_another_encoding_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(BadTerritory, match="UTF-8"):
        read(listed(tmp_path, GOOD, "gb18030"), "120000")
