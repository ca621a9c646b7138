"""ID numbers appear nowhere but where they belong: not in logs, refusals, audit or tables."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.db import Model, db, transaction
from canteen.elders import cards, enrolling, identifying, importing, ric
from canteen.errors import CanteenError
from tests.elders.factories import CLI, TILL, enrolled, lay_ground, number, row, wish, write_csv


@pytest.fixture
def everything_done(app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> str:
    """A day on the register with every log turned up; what was logged and refused."""
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy.engine", "sqlalchemy.pool", "canteen"):
        caplog.set_level(logging.DEBUG, logger=name)
    lay_ground()
    elder_id = enrolled()
    said = []
    wrong = number()[:-1] + ("1" if number()[-1] != "1" else "2")
    with transaction():
        enrolling.change(elder_id, CLI, id_number=number(sequence=9))
        cards.issue(elder_id, CLI)
    identifying.find(number(sequence=9), TILL)
    for attempt in (
        lambda: enrolling.enrol(wish(id_number=number(sequence=9)), CLI),
        lambda: enrolling.enrol(wish(id_number=wrong), CLI),
        lambda: identifying.find(wrong, TILL),
    ):
        with pytest.raises(CanteenError) as refused, transaction():
            attempt()
        said.append(repr(refused.value) + str(refused.value) + repr(refused.value.detail))
    path = write_csv(tmp_path / "a.csv", [row(1), row(2) | {"身份证号": wrong}])
    errors: list[importing.RowError] = []
    prepared = importing.prepare(path, CLI, errors.append)
    with transaction():
        importing.merge(prepared, CLI, errors.append, skip_bad=True)
    said += [repr(prepared), repr(errors)]
    assert "INSERT INTO elders" in caplog.text  # the logs really were turned up
    return caplog.text + "".join(said)


def test_neither_logs_nor_refusals_show_a_number(everything_done: str) -> None:
    for sequence in (123, 9):
        whole = number(sequence=sequence)
        assert whole not in everything_done and whole[:17] not in everything_done


def test_no_table_holds_a_number_in_the_clear(everything_done: str) -> None:
    kept = []
    for table in Model.metadata.sorted_tables:
        for found in db.session.execute(sa.select(table)):
            kept += [bytes(v) if isinstance(v, memoryview) else v for v in found]
    told = repr(kept)
    assert number(sequence=9)[6:] not in told and number(sequence=9)[:14] not in told
    assert ric.hash_of(number(sequence=9)) in told
