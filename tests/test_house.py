"""The house keeps its order: imports point down, and each thing is done in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RANKS = (
    ("words", "config", "id_numbers"),
    ("errors", "clock"),
    ("money", "reasons"),
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


@cache
def tree(path: Path) -> ast.Module:
    """What a file says, parsed."""
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> list[str]:
    """Every module a file imports, as written."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            if node.module == "canteen":
                found += [f"canteen.{alias.name}" for alias in node.names]
    return found


def told(wrong: Iterator[tuple[Path, str]]) -> str:
    """Each file that breaks a rule, and how, in lines."""
    return "\n".join(f"{path.relative_to(ROOT)}: {what}" for path, what in wrong)


def test_imports_point_down() -> None:
    def wrong() -> Iterator[tuple[Path, str]]:
        for path in FILES:
            own = package(path)
            if own not in RANK:
                yield path, f"{own} has no place in the house"
                continue
            for module in imports(path):
                if not module.startswith("canteen."):
                    continue
                other = module.split(".")[1]
                if other == own or (own == "cli" and other == "create_app"):
                    continue
                if RANK.get(other, 99) >= RANK[own]:
                    yield path, f"{own} may not know {other}"

    assert told(wrong()) == ""


def test_rooms_know_no_flask_and_no_marshmallow() -> None:
    doors = {"flask", "marshmallow", "flask_login", "flask_wtf", "werkzeug"}
    assert told(
        (path, f"a room does not know {module}")
        for path in FILES if package(path) in ROOMS
        for module in imports(path) if module.split(".")[0] in doors
    ) == ""  # fmt: skip


def test_every_module_opens_with_one_line_of_what_it_is() -> None:
    assert told(
        (path, "a docstring, please")
        for path in FILES
        for said in [ast.get_docstring(tree(path))]
        if not said or not said.splitlines()[0].endswith((".", ":", "?"))
    ) == ""  # fmt: skip


def test_only_db_commits_and_only_clock_asks_the_time() -> None:
    def wrong() -> Iterator[tuple[Path, str]]:
        for path in FILES:
            for node in ast.walk(tree(path)):
                if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                    continue
                owner, name = ast.unparse(node.func.value), node.func.attr
                if name == "commit" and "session" in owner and path.name != "db.py":
                    yield path, "only db.py commits"
                asks = name in ("now", "utcnow", "today") and owner in ("datetime", "date")
                asks = asks or (owner, name) in (("time", "time"), ("datetime.datetime", "now"))
                if asks and path.name != "clock.py":
                    yield path, "only clock.py asks the time"

    assert told(wrong()) == ""


def test_no_file_is_longer_than_300_lines() -> None:
    assert told(
        (path, f"{lines} lines; two acts in one file?")
        for path in FILES
        for lines in [len(path.read_text().splitlines())]
        if lines > 300
    ) == ""  # fmt: skip
