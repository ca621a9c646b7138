"""What an operator takes out: the bureau's files, limited to what is the operator's."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from canteen.web.bureau import exports as shared
from canteen.web.guards import actor
from canteen.web.operator.door import blueprint

blueprint.context_processor(shared.papers)


@blueprint.post("/statements.<any(xlsx, csv):kind>")
def statements_file(kind: str) -> ResponseReturnValue:
    """The operator's statements, as narrowed on the page."""
    return shared.statements_out(actor(), kind)


@blueprint.post("/statements/<int:statement_id>.<any(pdf, xlsx, csv):kind>")
def statement_file(statement_id: int, kind: str) -> ResponseReturnValue:
    """One statement."""
    return shared.statement_out(actor(), statement_id, kind)
