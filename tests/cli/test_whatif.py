"""`canteen what-if` prints what a replay found, for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from canteen.cli import main
from canteen.money import yuan
from canteen.whatif.replaying import replay
from tests.whatif.drafts import DRAFT, draft
from tests.whatif.world import FIRST, LAST, make_meals


@pytest.fixture
def files(app: Flask, tmp_path: Path) -> list[Path]:
    make_meals(Random(3), orders=200)
    found = []
    for fen in (400, 500):
        found.append(tmp_path / f"draft{fen}.toml")
        found[-1].write_text(DRAFT.format(fen=fen), encoding="utf-8")
    return found


def run(*words: object) -> Result:
    days = ["--from", str(FIRST), "--to", str(LAST)]
    given = ["what-if", *map(str, words), *days]
    return CliRunner(env={"COLUMNS": "220"}).invoke(main, given)


def test_people_see_both_drafts_beside_what_was_in_force(files: list[Path]) -> None:
    done = run(*files)
    assert done.exit_code == 0, done.output
    result = replay([draft(400), draft(500)], FIRST, LAST)
    for outcome in result.outcomes:
        assert yuan(outcome.total.total_fen) in done.stdout
    for words in ("河西区 / Hexi", "80–89", "2024年5月", "市级", "受益 / Gain"):
        assert words in done.stdout, words


def test_programs_get_every_sum_in_fen(files: list[Path]) -> None:
    found = json.loads(run(files[0], "--territory", "120104", "--json").stdout)
    expected = replay([draft(400)], FIRST, LAST, "120104")
    assert found == json.loads(json.dumps(expected.to_dict()))
    assert [each["code"] for each in found["outcomes"]] == ["in_force", "tianjin-V2027"]
    assert found["outcomes"][1]["total"]["total_fen"] == expected.drafts[0].total.total_fen > 0


def test_a_broken_draft_and_unknown_ground_are_refused(files: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("name = 1", encoding="utf-8")
    assert run(broken).exit_code == 2
    refused = run(files[0], "--territory", "120199")
    assert refused.exit_code == 2 and "120199" in refused.stderr
    assert run(tmp_path / "nothing.toml").exit_code == 2
