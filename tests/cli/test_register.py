"""The register from the command line: counts, errors to a file, exit codes, and users."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from canteen.access import users
from canteen.access.models import User
from canteen.audit.models import AuditRecord
from canteen.cli import main
from canteen.db import db
from canteen.elders.models import Elder
from tests.elders.factories import STREET, count, lay_ground, number, row, write_csv


@pytest.fixture(autouse=True)
def ground(app: Flask) -> None:
    lay_ground()


def run(*arguments: object, typed: str | None = None) -> Result:
    """A command as it is typed."""
    done = CliRunner().invoke(main, [str(one) for one in arguments], input=typed)
    db.session.expire_all()
    return done


def test_a_good_file_ends_with_nought(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1), row(2)])
    done = run("import-elders", path)
    assert done.exit_code == 0, done.output
    assert "2 新增 new" in done.stdout
    assert "2 未变 unchanged" in run("import-elders", path).stdout
    assert count(Elder) == 2


def test_wrong_rows_end_with_one_and_stand_in_the_file(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [row(1), row(2) | {"姓名": ""}])
    errors = tmp_path / "errors.csv"
    done = run("import-elders", path, "--errors", errors)
    assert (done.exit_code, count(Elder)) == (1, 0)
    (line,) = csv.DictReader(errors.open(encoding="utf-8-sig"))
    assert (line["row"], line["field"], line["code"]) == ("3", "name", "missing")
    assert "nothing was saved" in done.stderr
    assert run("import-elders", path, "--skip-bad").exit_code == 1
    assert count(Elder) == 1


def test_without_an_errors_file_they_are_told(tmp_path: Path) -> None:
    done = run("import-elders", write_csv(tmp_path / "a.csv", [row(2) | {"姓名": ""}]))
    assert "row 2, name" in done.stderr


def test_a_dry_run_saves_nothing(tmp_path: Path) -> None:
    done = run("import-elders", write_csv(tmp_path / "a.csv", [row(1)]), "--dry-run")
    assert (done.exit_code, count(Elder)) == (0, 0)
    assert "1 新增 new" in done.stdout and "Dry run" in done.stderr


def test_an_unreadable_file_ends_with_two(tmp_path: Path) -> None:
    broken = tmp_path / "a.xlsx"
    broken.write_bytes(b"PK\x03\x04 half a workbook")
    for path in (broken, tmp_path / "missing.csv"):
        done = run("import-elders", path)
        assert done.exit_code == 2
        assert "Traceback" not in done.output and done.stderr.strip()


def test_an_export_holds_everybody_masked(tmp_path: Path) -> None:
    run("import-elders", write_csv(tmp_path / "a.csv", [row(1), row(2)]))
    for name in ("out.csv", "out.xlsx"):
        done = run("export-elders", tmp_path / name, "--english")
        assert done.exit_code == 0, done.output
        assert (tmp_path / name).stat().st_size > 100
    text = (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
    assert text.startswith("id_number,name") and "**************" in text
    assert number(date(1945, 3, 2), 1) not in text
    assert db.session.query(AuditRecord).filter_by(act="export_elders").count() == 2


def test_a_user_is_added_disabled_and_given_a_password() -> None:
    done = run(
        "user", "add", "wang", "--name", "王芳", "--role", "street", "--territory", STREET,
        typed="correct horse\ncorrect horse\n",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    user = users.by_login("wang")
    mark, kept = user.session_mark, user.password_hash
    assert run("user", "password", "wang", "--password", "another horse").exit_code == 0
    assert (user.session_mark, user.password_hash) != (mark, kept)
    assert run("user", "disable", "wang").exit_code == 0
    assert user.disabled_at is not None
    assert "horse" not in done.output


def test_the_command_line_refuses_in_words() -> None:
    done = run(
        "user", "add", "wang", "--name", "王芳", "--role", "cashier", "--password", "correct horse"
    )
    assert done.exit_code == 2
    assert "canteen_id" in done.stderr and "Traceback" not in done.output
    assert run("user", "disable", "nobody").exit_code == 2
    assert db.session.query(User).count() == 0


def test_an_import_can_be_somebodys(tmp_path: Path) -> None:
    run("user", "add", "wang", "--name", "王芳", "--role", "street", "--territory", "120104002",
        "--password", "correct horse")  # fmt: skip
    done = run("import-elders", write_csv(tmp_path / "a.csv", [row(1)]), "--by", "wang")
    assert done.exit_code == 1
    assert "street_code" in done.stderr and count(Elder) == 0
