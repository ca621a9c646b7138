"""Drafts of policies: written by one person, published by another, in force from a day to come."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
import sqlalchemy as sa

from canteen import clock, config
from canteen.audit.recording import record
from canteen.db import changed, db
from canteen.errors import Conflict, Forbidden, NotFound
from canteen.subsidies.models import PolicyDraft, PolicyVersion
from canteen.subsidies.policies import Overlay, Policy, from_json, read_toml
from canteen.subsidies.proposing import check
from canteen.subsidies.publishing import lay_down
from canteen.subsidies.revising import body_of, revised
from canteen.subsidies.standing import standing, starting_point
from canteen.territory.actors import DECIDERS, Actor
from canteen.territory.models import stem
from canteen.words import Text

STATES = {
    "draft": Text("起草中", "Being written"),
    "proposed": Text("待发布", "Waiting to be published"),
    "published": Text("已发布", "Published"),
    "withdrawn": Text("已撤回", "Withdrawn"),
}


class NotOfYourGround(Forbidden):
    """The text is for another territory than the one the actor's office makes policies for."""

    code = "draft_not_of_your_ground"
    text = Text(
        "{ground} 的政策由当地民政部门起草和发布",
        "A policy for {ground} is drafted and published by its own office",
    )


class NotYours(Forbidden):
    """Only the person who writes a draft changes it: whoever helps to write cannot publish it."""

    code = "draft_not_yours"
    text = Text(
        "草案只由起草人修改；您可以另起一份",
        "Only the one who writes a draft changes it; you may start one of your own",
    )


class SameHand(Forbidden):
    """Whoever wrote a draft may not publish it."""

    code = "draft_same_hand"
    text = Text(
        "这份草案是您起草的，须由另一位同事发布",
        "You wrote this draft; a colleague must publish it",
    )


class NotInState(Conflict):
    """The draft is at another point than the act asks for, or somebody has just moved it."""

    code = "draft_not_in_state"
    text = Text("这份草案现在是：{state}", "This draft is now: {state}")


class Changed(Conflict):
    """The text is not the one that was looked at."""

    code = "draft_changed"
    text = Text(
        "草案内容已有改动，请看过新内容再办理", "The draft has changed; read it again first"
    )


def visible(by: Actor) -> sa.ColumnElement[bool]:
    """The drafts an actor may see: those for its own ground and for what lies in it."""
    if by.role not in DECIDERS or by.territory is None:
        return sa.false()
    return PolicyDraft.territory_code.startswith(stem(by.territory))


def document_of(draft: PolicyDraft) -> Policy | Overlay:
    """The text of a draft."""
    return from_json(msgspec.json.encode(draft.body).decode())


def digest_of(draft: PolicyDraft) -> str:
    """A mark of the text as it is now; who publishes says which they have read."""
    return hashlib.sha256(document_of(draft).to_json().encode()).hexdigest()[:16]


def start(by: Actor, on: date, text: str | None = None) -> PolicyDraft:
    """Begin a draft: from what is in force on the actor's ground, or from a policy file's text.

    Refuses a broken text (PolicyInvalid) and one for another's ground (NotOfYourGround).
    """
    ground = _ground(by)
    document = starting_point(ground, on, standing()) if text is None else read_toml(text)
    next_month = clock.period_days(clock.next_period(clock.period_of(on)))[0]
    begins = max(document.effective_from, next_month)
    draft = PolicyDraft(
        code=document.code, territory_code=document.territory, body={}, note="",
        in_force_from=begins, state="draft", made_by=by.label, made_by_user_id=by.user_id,
        made_at=clock.now(),
    )  # fmt: skip
    _check_ground(document.territory, by)
    _write(draft, document, begins)
    db.session.add(draft)
    db.session.flush()
    record(by.label, "start_draft", "policy_draft", draft.id, _told(draft))
    return draft


def change(
    draft_id: int, by: Actor, *, values: Mapping[str, int | None], in_force_from: date,
    note: str = "", text: str | None = None, **head: Any,
) -> PolicyDraft:  # fmt: skip
    """Change the numbers of one's own draft by their paths, and its head; or give another text.

    Refuses NotYours, NotInState and, naming the number, PolicyInvalid.
    """
    draft = _held(draft_id, by)
    if draft.made_by != by.label:
        raise NotYours()
    _must_be(draft, "draft")
    if text is None:
        document = revised(document_of(draft), values, **head)
    else:
        document = read_toml(text)
        _check_ground(document.territory, by)
    _write(draft, document, in_force_from)
    draft.note = note
    db.session.flush()
    record(by.label, "change_draft", "policy_draft", draft.id, _told(draft))
    return draft


def propose(draft_id: int, by: Actor, today: date) -> PolicyDraft:
    """Ask a colleague to publish one's own draft; it must stand every check of publishing.

    Refuses NotYours, NotInState, OverlayTextMissing and what `proposing.check` refuses.
    """
    draft = _held(draft_id, by)
    if draft.made_by != by.label:
        raise NotYours()
    _must_be(draft, "draft")
    begins = draft.in_force_from
    check(document_of(draft), begins, today, standing(begins))
    return _move(draft, "proposed", by, "propose_draft", proposed_at=clock.now())


def take_back(draft_id: int, by: Actor) -> PolicyDraft:
    """Write on at one's own draft that was proposed."""
    draft = _held(draft_id, by)
    if draft.made_by != by.label:
        raise NotYours()
    _must_be(draft, "proposed")
    return _move(draft, "draft", by, "take_back_draft", proposed_at=None)


def withdraw(draft_id: int, by: Actor) -> PolicyDraft:
    """Give a draft up: its writer, or a colleague who was asked to publish it and will not."""
    draft = _held(draft_id, by)
    if draft.state == "draft" and draft.made_by != by.label:
        raise NotYours()
    _must_be(draft, "draft", "proposed")
    return _move(draft, "withdrawn", by, "withdraw_draft")


def publish(draft_id: int, by: Actor, in_force_from: date, seen: str, today: date) -> PolicyDraft:
    """Publish a colleague's draft from a day to come, with what it changes in the districts.

    `seen` is the digest of the text that was read. A district's overlay in force is laid over a
    new city policy, and published with it. Refuses SameHand, NotInState, Changed,
    OverlayTextMissing, AlreadyPublished and what `proposing.check` refuses.
    """
    draft = _held(draft_id, by)
    if draft.made_by == by.label:
        raise SameHand()
    _must_be(draft, "proposed")
    if seen != digest_of(draft):
        raise Changed()
    _write(draft, document_of(draft), in_force_from)
    document, texts = document_of(draft), standing(in_force_from)
    check(document, in_force_from, today, texts)
    codes = lay_down([*texts, document], draft.territory_code, by, since=in_force_from)
    version = db.session.scalars(
        sa.select(PolicyVersion).where(
            PolicyVersion.territory_code == draft.territory_code,
            PolicyVersion.in_force_from == in_force_from,
        )
    ).one()
    moved = _move(
        draft, "published", by, "publish_draft", published_by=by.label, published_at=clock.now(),
        policy_id=version.id, in_force_from=in_force_from, body=body_of(document),
    )  # fmt: skip
    record(by.label, "publish", "policy", draft.territory_code, {"codes": codes})
    return moved


def _ground(by: Actor) -> str:
    by.must_be(*DECIDERS)
    return by.territory or config.current().city


def _check_ground(territory: str, by: Actor) -> None:
    if territory != _ground(by):
        raise NotOfYourGround(field="territory", ground=territory)


def _held(draft_id: int, by: Actor) -> PolicyDraft:
    """The draft, held until the act commits; seen by the actor and of its own office."""
    draft = db.session.scalars(
        sa.select(PolicyDraft).where(PolicyDraft.id == draft_id, visible(by))
        .with_for_update().execution_options(populate_existing=True)
    ).first()  # fmt: skip
    if draft is None:
        raise NotFound()
    _check_ground(draft.territory_code, by)
    return draft


def _must_be(draft: PolicyDraft, *states: str) -> None:
    if draft.state not in states:
        raise NotInState(state=STATES[draft.state])


def _write(draft: PolicyDraft, document: Policy | Overlay, begins: date) -> None:
    """Put a text into a draft, beginning on its day."""
    document = msgspec.structs.replace(document, effective_from=begins)
    draft.body, draft.code, draft.in_force_from = body_of(document), document.code, begins


def _told(draft: PolicyDraft) -> dict[str, Any]:
    return {"version": draft.code, "from_on": draft.in_force_from.isoformat(),
            "digest": digest_of(draft)}  # fmt: skip


def _move(draft: PolicyDraft, state: str, by: Actor, act: str, **values: Any) -> PolicyDraft:
    """Bring a draft to its next point, once; whoever comes second is told."""
    moved = db.session.execute(
        sa.update(PolicyDraft)
        .where(PolicyDraft.id == draft.id, PolicyDraft.state == draft.state)
        .values(state=state, **values)
    )
    if changed(moved) != 1:
        raise NotInState(state=STATES[draft.state])
    db.session.refresh(draft)
    record(by.label, act, "policy_draft", draft.id, _told(draft))
    return draft
