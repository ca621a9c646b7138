"""What the desks take out: statements, their meals and figures as XLSX, CSV or PDF, on record.

Taking something out is asked for by POST, since it leaves a trace: what goes out is read, and
then recorded in a transaction of its own. The query says what it is narrowed to, as on the page.
The file is made in a temporary folder, so memory does not grow with it, and goes out only when
the record of it is written.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flask import request, send_file
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.audit.recording import record
from canteen.db import db, transaction
from canteen.papers import csvs, workbooks
from canteen.papers.tables import Table
from canteen.settlements import exporting, finding, printing, searching
from canteen.settlements.models import STAGES, Statement
from canteen.territory.actors import Actor
from canteen.web.bureau.door import asked, blueprint, grounds
from canteen.web.guards import actor
from canteen.web.language import locale, said
from canteen.words import Text, month

MIME = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
}
PERIOD = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)
UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\s]+')  # no file system of a desk takes these in a name


def taken_out(
    by: Actor, kind: str, name: Text, subject: tuple[str, object], make: Callable[[Path], int],
    *, act: str = "export", **detail: Any,
) -> ResponseReturnValue:
    """Make a file, leave in the trail who took out what and how many rows, and send it.

    `make` writes the file to a path and gives the number of rows; `subject` is what the trail
    names it by.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"out.{kind}"
        rows = make(path)
        db.session.rollback()  # what was read is read; the record is an act of its own
        with transaction():
            record(by.label, act, *subject, {"format": kind, "rows": rows} | detail)
        size, out = path.stat().st_size, path.open("rb")
    answer = send_file(
        out, MIME[kind], as_attachment=True, max_age=0, conditional=False,
        download_name=f"{UNFIT.sub('_', said(name))}.{kind}",
    )
    answer.content_length = size
    return answer


def tables(kind: str, sheets: Callable[[], Sequence[Table]]) -> Callable[[Path], int]:
    """How to write tables as a workbook; as CSV the last of them, which is the long one."""
    language = locale()

    def make(path: Path) -> int:
        if kind == "csv":
            return csvs.write(path, sheets()[-1], language)
        return workbooks.write(path, sheets(), language)

    return make


def statements_out(by: Actor, kind: str) -> ResponseReturnValue:
    """The list of statements as the page is narrowed now."""
    wanted = searching.Wanted(
        period=asked("period"), stage=asked("stage", STAGES),
        payee=asked("payee", ("canteen", "elder")),
        territory=asked("territory", dict(grounds(by))), text=asked("text"),
    )
    today = clock.business_date()
    name = Text("结算单_{period}_{on}", "statements_{period}_{on}").format(
        period=wanted.period or Text("全部", "all"), on=today
    )
    narrowed = {what: value for what, value in vars(wanted).items() if value and what != "text"}
    return taken_out(
        by, kind, name, ("statements", ground_of(by)),
        tables(kind, lambda: [exporting.statements_table(by, wanted, today)]), **narrowed,
    )


def statement_out(by: Actor, statement_id: int, kind: str) -> ResponseReturnValue:
    """One statement: to sign and stamp as PDF, to reckon with as XLSX, its meals as CSV."""
    found, today = finding.get_for(by, statement_id), clock.business_date()
    return taken_out(
        by, kind, _name_of(found), ("statement", found.id),
        _pdf(found) if kind == "pdf"
        else tables(kind, lambda: printing.tables_of(found, today)),
        total_fen=found.total_fen, check_code=printing.code_of(found),
    )


def meals_out(by: Actor, kind: str) -> ResponseReturnValue:
    """The subsidised meals of a month (else the running one) at the canteens of this ground, or
    of one part of it."""
    period = asked_period("period", clock.period_of(clock.business_date()))
    territory = asked("territory", dict(grounds(by)))
    name = Text("补贴餐次_{period}_{where}", "meals_{period}_{where}").format(
        period=period, where=exporting.places().get(territory or ground_of(by), ground_of(by))
    )
    return taken_out(
        by, kind, name, ("meals", period),
        tables(kind, lambda: [exporting.meals_of_period(by, period, territory)]),
        territory=territory or ground_of(by),
    )


def asked_period(name: str, otherwise: str) -> str:
    """A month of the address, or what there is otherwise."""
    value = request.args.get(name, "")
    return value if PERIOD.fullmatch(value) else otherwise


def ground_of(by: Actor) -> str:
    """What the trail calls the ground of whoever takes something out."""
    return by.territory or f"operator:{by.operator_id}"


def papers() -> dict[str, Any]:
    """What the pages of statements say about their papers."""
    return {"check_code": printing.code_of}


def _pdf(found: Statement) -> Callable[[Path], int]:
    from canteen.papers import statement_pdf  # who asks for no PDF need not wait for the library

    paper, language = printing.paper_of(found, clock.business_date()), locale()

    def make(path: Path) -> int:
        path.write_bytes(statement_pdf.write(paper, language))
        return len(paper.days)

    return make


def _name_of(found: Statement) -> Text:
    _, payee = printing.facts_of(found, {})[0]
    name = payee if isinstance(payee, Text) else Text(payee, payee)
    return Text("结算单_{n}_{name}_{month}", "statement_{n}_{name}_{month}").format(
        n=found.id, name=name, month=month(found.period)
    )


blueprint.context_processor(papers)


@blueprint.post("/statements.<any(xlsx, csv):kind>")
def statements_file(kind: str) -> ResponseReturnValue:
    """The list of statements, as narrowed on the page."""
    return statements_out(actor(), kind)


@blueprint.post("/statements/<int:statement_id>.<any(pdf, xlsx, csv):kind>")
def statement_file(statement_id: int, kind: str) -> ResponseReturnValue:
    """One statement."""
    return statement_out(actor(), statement_id, kind)


@blueprint.post("/meals.<any(xlsx, csv):kind>")
def meals_file(kind: str) -> ResponseReturnValue:
    """The subsidised meals of a month."""
    return meals_out(actor(), kind)
