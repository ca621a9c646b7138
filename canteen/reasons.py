"""The written reason that a decision about money, meals, a sign or a person's status must have."""

from __future__ import annotations

from canteen import id_numbers
from canteen.errors import Refused
from canteen.words import Text

SHORTEST, LONGEST = 2, 400  # a word of Chinese has two characters


class ReasonMissing(Refused):
    """Nothing was said, too little to say why, or more than a record holds."""

    code = "reason_missing"
    text = Text("请写明原因（2至400字）", "Say why (2 to 400 characters)")


class NamesAnIdNumber(Refused):
    """A reason is kept for ever and read by many: whose it is stands on the register alone."""

    code = "id_number_in_reason"
    text = Text(
        "请不要在原因里写身份证号，写姓名或证件尾号即可",
        "Do not write an ID number in a reason; a name or its last digits will do",
    )


def reason_of(
    given: str, *, needed: bool = True, field: str = "reason", text: Text | None = None
) -> str:
    """A reason as it is kept, without blanks at its ends. One that is not `needed` may be empty.
    Refuses ReasonMissing, in the words of `text` where a reader must know which of several, and
    NamesAnIdNumber."""
    reason = given.replace("\0", "").strip()
    if len(reason) > LONGEST or (needed and len(reason) < SHORTEST):
        raise ReasonMissing(text, field=field)
    if id_numbers.stands_in(reason):
        raise NamesAnIdNumber(field=field)
    return reason
