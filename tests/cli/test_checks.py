"""The command that looks over a month's meals."""

from __future__ import annotations

from datetime import date

from click.testing import CliRunner, Result
from flask import Flask

from canteen.cli import main
from canteen.db import db, transaction
from tests.checks.world import keys, make_world
from tests.factories import make_fact


def run(*arguments: str) -> Result:
    """A command as it is typed."""
    done = CliRunner().invoke(main, ["check-meals", *arguments])
    db.session.expire_all()
    return done


def test_it_prints_what_is_to_be_decided(app: Flask) -> None:
    world = make_world()
    with transaction():
        gone = world.elder()
        make_fact(gone, "status", "deceased", date(2026, 10, 5))
        order = world.meal(gone)
    done = run("--period", "2026-10")
    assert done.exit_code == 0, done.output
    assert "2026-10: 2 subsidised meals" in done.stdout
    line = next(line for line in done.stdout.splitlines() if line.startswith("deceased"))
    assert line.split()[1:4] == ["1", "5.00", "1"]
    assert "身故后用餐 / A meal after death" in line
    last = done.stdout.splitlines()[-1]
    assert last == "1 to decide, 1 of them held: 1 meals worth 5.00 yuan, each counted once"
    assert keys("deceased") == [f"order:{order}"]
    assert "0 new, 0 found again, 0 cleared" in run("--period", "2026-10").stdout


def test_another_district_has_nothing_to_decide(app: Flask) -> None:
    world = make_world()
    with transaction():
        gone = world.elder()
        make_fact(gone, "status", "deceased", date(2026, 10, 5))
        world.meal(gone)
    done = run("--period", "2026-10", "--district", "120103")
    assert done.stdout.splitlines()[-1] == "nothing to decide"
    assert keys("deceased") == []


def test_a_month_is_written_as_a_month(app: Flask) -> None:
    for wrong in ("October", "2026-13", "2026-1"):
        done = run("--period", wrong)
        assert done.exit_code == 2
        assert "2026-10" in done.stderr
