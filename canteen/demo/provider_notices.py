"""The pretend provider carries messages to phones too: kept, never sent anywhere."""

from __future__ import annotations

from typing import Any

from canteen.demo.provider_rules import ROUTES, ApiError, Params, allow
from canteen.demo.provider_state import Book, new_id, now

PATH = "/v1/notices"


def create_notice(book: Book, params: Params) -> dict[str, Any]:
    """POST /v1/notices: a message is taken when it says to whom and what."""
    allow(params, "to text text_en key")
    for name in ("to", "text", "key"):
        if not params.get(name):
            raise ApiError(f"Missing {name}", "parameter_missing", param=name)
    notice = {
        "id": new_id("nt"), "object": "notice", "to": params["to"], "text": params["text"],
        "text_en": params.get("text_en", ""), "key": params["key"], "created": now(),
    }
    book.save(notice)
    return notice


ROUTES.append(("POST", PATH, create_notice))
