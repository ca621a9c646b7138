"""Taking a register file in: every row checked first, then all of it merged, or none."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any

from canteen import clock
from canteen.audit.recording import record
from canteen.elders import checking, facts, ric
from canteen.elders.checking import Person
from canteen.elders.columns import FACT_COLUMNS, read_line
from canteen.elders.merging import Tally, hold_register, merge_batch
from canteen.elders.reading import RowIncomplete, open_sheet
from canteen.errors import CanteenError, Refused
from canteen.papers.csvs import kept
from canteen.territory.actors import BUREAU, Actor
from canteen.words import Text

BATCH = 2_000
SECRET = (ric.FIELD, "phone", "payout_account")
Progress = Callable[[int, int], None]


class TwiceInFile(Refused):
    """The same ID number stands in an earlier row."""

    code = "twice_in_file"
    text = Text("与第 {first} 行是同一个身份证号", "The same ID number as in row {first}")


class RowsBad(Refused):
    """Some rows are wrong, so nothing of the file was saved. `detail` holds the counts."""

    code = "rows_bad"
    text = Text(
        "{bad} 行有错，整个文件都没有导入；请改正后重新导入",
        "{bad} rows are wrong, so nothing of the file was saved; correct them and import it again",
    )


@dataclass(frozen=True)
class RowError:
    """What is wrong in one row; `value` is masked where it is nobody's business."""

    row: int
    field: str
    value: str
    code: str
    text: Text


@dataclass(frozen=True)
class Ready:
    """A person whose row is in order, with what only the file says."""

    row: int
    person: Person
    dated: bool
    returned: date | None


@dataclass
class Prepared:
    """A whole file, read and checked, still outside any transaction."""

    digest: str
    fields: frozenset[str]
    people: list[Ready] = field(default_factory=list)
    rows: int = 0
    bad: int = 0

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of facts this file speaks of; the others it leaves as they are."""
        return frozenset(kind for column, kind in FACT_COLUMNS.items() if column in self.fields)


@dataclass(frozen=True)
class Report:
    """What an import did, or in a dry run would do; all in rows.

    `accounts`: how many payout accounts are others than those on record. They are not taken over:
    the door asks for them, and a second person confirms each.
    """

    rows: int
    new: int
    updated: int
    unchanged: int
    bad: int
    saved: bool
    accounts: int = 0


class ErrorsFile:
    """Writes row errors as CSV: row, field, value (masked), code, and the sentence twice."""

    def __init__(self, stream: IO[str]) -> None:
        self._out = csv.writer(stream)
        self._out.writerow(("row", "field", "value", "code", "zh", "en"))

    def __call__(self, error: RowError) -> None:
        """Add one error."""
        value = kept(error.value)
        self._out.writerow((error.row, error.field, value, error.code, *error.text))


def prepare(
    path: Path,
    by: Actor,
    on_error: Callable[[RowError], None],
    progress: Progress = lambda done, about: None,
) -> Prepared:
    """Read and check a whole file without writing anything; call it outside a transaction.

    Every wrong row goes to `on_error`, field by field. `progress` is told (rows done, about how
    many there are). Refuses UnreadableFile and MissingColumns.
    """
    by.must_be(*BUREAU)
    sheet, known, today = open_sheet(path), checking.grounds(), clock.business_date()
    prepared = Prepared(sheet.digest, sheet.fields)
    first_row: dict[str, int] = {}
    for number, cells in sheet.rows:
        prepared.rows += 1
        if cells is None:
            wrong: list[Refused] = [RowIncomplete()]
            line, person = None, None
        else:
            line, wrong = read_line(number, cells, today)
            person, more = checking.examine(line.enrolment, known, today)
            named = {refusal.field for refusal in wrong}
            wrong += [refusal for refusal in more if refusal.field not in named]
        if person is not None and not by.reaches(person.columns["street_code"]):
            wrong.append(checking.UnknownStreet(field="street_code"))
        if person is not None:
            first = first_row.setdefault(person.ric_hash, number)
            if first != number:
                wrong.append(TwiceInFile(field=ric.FIELD, first=first))
        if wrong or line is None or person is None:
            prepared.bad += 1
            for refusal in wrong:
                on_error(_row_error(number, refusal, cells or {}))
        else:
            prepared.people.append(Ready(number, person, line.dated, line.returned))
        if prepared.rows % 500 == 0:
            progress(prepared.rows, max(sheet.about, prepared.rows))
    progress(prepared.rows, prepared.rows)
    return prepared


def merge(
    prepared: Prepared,
    by: Actor,
    on_error: Callable[[RowError], None],
    *,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda done, about: None,
    on_accounts: Callable[[dict[int, str | None]], int] = len,
) -> Report:
    """Put a prepared file into the register, in the transaction of the door.

    Who is on it already is found by the ID number's hash and updated, so that the same file again
    changes nothing. A column the file does not have is left as it is; one it has says the whole
    truth: an empty cell empties it, a category no longer named ends yesterday. A dry run only
    counts. `on_accounts` is given the payout accounts to be asked for, by elder, and says how many
    it asked for. With a wrong row nothing is saved and RowsBad is raised, unless `skip_bad` leaves
    the wrong ones out.
    """
    by.must_be(*BUREAU)
    now, today = clock.now(), clock.business_date()
    tally, bad = Tally(), prepared.bad
    if not dry_run:
        hold_register()
    for start, batch in _batches(prepared.people):
        for number, refusal in merge_batch(
            batch, prepared.fields, prepared.kinds, by, now, today, tally, dry_run=dry_run
        ):
            bad += 1
            on_error(_row_error(number, refusal, {}))
        progress(start + len(batch), len(prepared.people))
    counts: dict[str, Any] = {
        "rows": prepared.rows, "new": tally.new, "updated": tally.updated,
        "unchanged": tally.unchanged, "bad": bad,
    }  # fmt: skip
    if dry_run:
        return Report(**counts, saved=False, accounts=len(tally.accounts))
    if bad and not skip_bad:
        raise RowsBad(**counts)
    if tally.statuses:
        facts.refresh_statuses(today)
    asked = on_accounts(tally.accounts)
    detail = counts | {"sha256": prepared.digest}
    record(by.label, "import_elders", "register", prepared.digest[:16], detail)
    return Report(**counts, saved=True, accounts=asked)


def _batches(people: list[Ready]) -> Iterator[tuple[int, list[Ready]]]:
    for start in range(0, len(people), BATCH):
        yield start, people[start : start + BATCH]


def _row_error(number: int, refusal: CanteenError, cells: dict[str, str]) -> RowError:
    name = refusal.field or ""
    value = cells.get({"category": "categories"}.get(name, name), "")
    if name == ric.FIELD:
        shown = ric.mask(value)
    elif name in SECRET:
        shown = "*" * max(len(value) - 4, 0) + value[-4:]
    else:
        shown = ric.scrub(value)[:40]
    return RowError(number, name, shown, refusal.code, refusal.text)
