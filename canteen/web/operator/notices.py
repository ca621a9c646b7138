"""Messages to the operator: the bureau's own page of them."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from canteen.web.bureau import notices as shared
from canteen.web.guards import actor
from canteen.web.operator.door import blueprint


@blueprint.get("/notices")
def notices() -> ResponseReturnValue:
    """The messages to this operator."""
    return shared.notices_page(actor())


@blueprint.post("/notices")
def read_notices() -> ResponseReturnValue:
    """Some of them were read."""
    return shared.mark_read(actor())
