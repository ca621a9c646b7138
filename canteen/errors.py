"""The four kinds of no. Rooms define their own beside the act; doors give them a status code."""

from __future__ import annotations

from typing import Any

from canteen.words import Text


class CanteenError(Exception):
    """A refusal a person can read: what happened, in both languages, and which field or row.

    `code` is for machines and never changes; `text` is for people; `detail` carries what a
    caller needs to act on it (a price that changed, the rows of a file that failed).
    """

    code = "error"
    text = Text("出了点问题", "Something went wrong")

    def __init__(
        self,
        text: Text | None = None,
        *,
        code: str | None = None,
        field: str | None = None,
        row: int | None = None,
        **detail: Any,
    ) -> None:
        self.text = text or type(self).text.format(**detail)
        self.code = code or type(self).code
        self.field = field
        self.row = row
        self.detail = detail
        super().__init__(self.text.en)

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        line = f"row {self.row}: " if self.row is not None else ""
        return f"{line}{where}{self.text.zh} / {self.text.en}"


class NotFound(CanteenError):
    """It does not exist, or the one who asks may not know that it does."""

    code = "not_found"
    text = Text("没有找到", "Not found")


class Forbidden(CanteenError):
    """The one who asks may see this but not do it."""

    code = "forbidden"
    text = Text("您没有做这件事的权限", "You may not do this")


class Refused(CanteenError):
    """The wish breaks a rule or is not well formed; nothing was changed."""

    code = "refused"
    text = Text("不能这样做", "This cannot be done")


class Conflict(CanteenError):
    """The wish was fine but the world has moved: look again, then decide."""

    code = "conflict"
    text = Text("情况已变化，请刷新后再试", "Things have changed; look again and retry")
