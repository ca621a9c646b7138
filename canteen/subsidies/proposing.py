"""What a draft must stand before a colleague is asked to publish it, and again when they do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from canteen.errors import Refused
from canteen.subsidies.comparing import Difference, differences
from canteen.subsidies.policies import NoPolicyInForce, Overlay, Policy, check_set, policy_for
from canteen.subsidies.standing import UNNAMED, merged
from canteen.words import Text, day


class NotAhead(Refused):
    """A policy begins on a day to come: what is sold today has its price."""

    code = "draft_not_ahead"
    text = Text("施行日期须晚于今天（{today}）", "It must begin after today, {today}")


class EndsItself(Refused):
    """A draft with a last day: what would rule after it is not said."""

    code = "draft_ends_itself"
    text = Text(
        "草案不能写截止日期；下一份政策施行时它自然失效",
        "A draft has no last day; the next policy ends it on its first",
    )


class Unnamed(Refused):
    """The document still has the placeholder for its number."""

    code = "draft_unnamed"
    text = Text(
        "请先填写文件名与文号，现在还写着“{placeholder}”",
        "Name the document and its number first; it still says “{placeholder}”",
    )


class ChangesNothing(Refused):
    """The draft says what the policy in force says already."""

    code = "draft_changes_nothing"
    text = Text(
        "这份草案与{on}有效的政策一样，没有可发布的改动",
        "The draft is the policy in force on {on}; it changes nothing",
    )


def changes(
    document: Policy | Overlay, on: date, texts: Sequence[Policy | Overlay]
) -> list[Difference]:
    """What a text changes against the policy in force on a day; `texts` may contain it already.

    Refuses NoPolicyInForce and NothingToExtend.
    """
    others = [text for text in texts if text.code != document.code]
    before = policy_for(others, document.territory, on)
    return differences(before, merged(document, on, others))


def check(
    document: Policy | Overlay, begins: date, today: date, texts: Sequence[Policy | Overlay]
) -> None:
    """Refuse what cannot become a policy beside the `texts` in force.

    NotAhead, EndsItself, Unnamed, NothingToExtend, PolicyInvalid and ChangesNothing.
    """
    if begins <= today:
        raise NotAhead(field="in_force_from", today=day(today, year=True))
    if document.effective_to:
        raise EndsItself(field="effective_to")
    if UNNAMED in document.document:
        raise Unnamed(field="document", placeholder=UNNAMED)
    merged(document, begins, texts)
    check_set([*texts, document])
    try:
        same = not changes(document, begins, texts)
    except NoPolicyInForce:
        return  # the first one of its ground
    if same:
        raise ChangesNothing(field="changes", on=day(begins, year=True))
