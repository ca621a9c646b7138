"""The written reason that a decision about money, meals, a sign or a person's status must have."""

from __future__ import annotations

from canteen.errors import Refused
from canteen.words import Text

SHORTEST, LONGEST = 2, 400  # a word of Chinese has two characters


class ReasonMissing(Refused):
    """Nothing was said, too little to say why, or more than a record holds."""

    code = "reason_missing"
    text = Text("请写明原因（2至400字）", "Say why (2 to 400 characters)")


def reason_of(
    given: str, *, needed: bool = True, field: str = "reason", text: Text | None = None
) -> str:
    """A reason as it is kept, without blanks at its ends. One that is not `needed` may be empty.
    Refuses ReasonMissing, in the words of `text` where a reader must know which of several."""
    reason = given.replace("\0", "").strip()
    if len(reason) > LONGEST or (needed and len(reason) < SHORTEST):
        raise ReasonMissing(text, field=field)
    return reason
