"""The house keeps its order: imports point down, and each thing is done in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RANKS = (
    ("words", "config"),
    ("errors", "clock"),
    ("money",),
    ("db", "papers"),
    ("once", "loading"),
    ("ledger", "territory", "audit"),
    ("notices", "tasks"),
    ("canteens", "elders", "access"),
    ("menus", "subsidies", "payments"),
    ("orders",),
    ("tills",),
    ("checks",),
    ("settlements",),
    ("payouts",),
    ("adjustments",),
    ("performance", "whatif"),
    ("budgets",),
    ("stories",),
    ("registry", "demo", "delivering"),
    ("web",),
    ("jobs", "verifying", "backup"),
    ("background",),
    ("timetable",),
    ("cli",),
    ("",),  # canteen/__init__.py: create_app
)
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names}
ROOMS = {name for names in RANKS[5:18] for name in names}
FILES = sorted((ROOT / "canteen").rglob("*.py"))


def package(path: Path) -> str:
    """The room, door or floor module a file belongs to."""
    parts = path.relative_to(ROOT / "canteen").with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def imports(path: Path) -> list[str]:
    """Every module a file imports, as written."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            if node.module == "canteen":
                found += [f"canteen.{alias.name}" for alias in node.names]
    return found


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_imports_point_down(path: Path) -> None:
    own = package(path)
    assert own in RANK, f"{own} has no place in the house"
    for module in imports(path):
        if module == "canteen":
            continue
        if module.startswith("canteen."):
            other = module.split(".")[1]
            if other != own:
                named_app = own == "cli" and other == "create_app"
                assert RANK.get(other, 99) < RANK[own] or named_app, f"{own} may not know {other}"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_rooms_know_no_flask_and_no_marshmallow(path: Path) -> None:
    if package(path) in ROOMS:
        tops = {module.split(".")[0] for module in imports(path)}
        assert not tops & {"flask", "marshmallow", "flask_login", "flask_wtf", "werkzeug"}


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_module_opens_with_one_line_of_what_it_is(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text()))
    assert said and said.splitlines()[0].endswith((".", ":", "?")), "a docstring, please"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_only_db_commits_and_only_clock_asks_the_time(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = ast.unparse(node.func.value)
        if node.func.attr == "commit" and "session" in owner:
            assert path.name == "db.py", "only db.py commits"
        if node.func.attr in ("now", "utcnow", "today") and owner in ("datetime", "date"):
            assert path.name == "clock.py", "only clock.py asks the time"
        if ast.unparse(node.func) in ("time.time", "datetime.datetime.now"):
            assert path.name == "clock.py", "only clock.py asks the time"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_no_file_is_longer_than_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300, "two acts in one file?"
