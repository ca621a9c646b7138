"""Drafts of policies: started, changed in a form or by a file, proposed, published by another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date

import sqlalchemy as sa
from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.db import db, transaction
from canteen.errors import CanteenError, Refused
from canteen.money import parse_yuan, yuan
from canteen.subsidies import drafting, proposing
from canteen.subsidies.comparing import Difference
from canteen.subsidies.models import PolicyDraft
from canteen.subsidies.policies import PolicyInvalid
from canteen.subsidies.revising import SECTIONS, Number, body_of, numbers
from canteen.subsidies.standing import standing
from canteen.territory.actors import Actor
from canteen.web.bureau import trail
from canteen.web.bureau.door import DECIDERS, blueprint
from canteen.web.errors import rendered
from canteen.web.forms import BadField, Fields, call
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.whatif import asking as what_ifs
from canteen.words import Text

BEGIN = Text("请选择从现行政策起草，或上传政策文件", "Start from the policy in force or a file")
LONGEST_FILE = 64 * 1024
KINDS = {"draft": "quiet", "proposed": "look", "published": "done", "withdrawn": "ended"}


class BadFile(Refused):
    """What was sent is no policy file: none at all, too long, or not text."""

    code = "bad_policy_file"
    text = Text(
        "请选择一个政策文件（TOML 文本，不超过 64 KB）",
        "Choose a policy file: TOML text of at most 64 KB",
    )


@blueprint.get("/drafts")
@guard(*DECIDERS)
def drafts() -> ResponseReturnValue:
    """The drafts of this ground, those at work first."""
    return _list()


def _list(refusal: CanteenError | None = None) -> ResponseReturnValue:
    over = PolicyDraft.state.in_(("published", "withdrawn"))
    rows = db.session.scalars(
        sa.select(PolicyDraft).where(drafting.visible(actor()))
        .order_by(over, PolicyDraft.id.desc())
    ).all()  # fmt: skip
    return rendered(
        "bureau/drafts.html", rows=rows, refusal=refusal, states=drafting.STATES, kinds=KINDS,
        errors=_errors(refusal), wrong=dict(_errors(refusal)), trials=what_ifs.latest(actor()),
        outdated=_outdated,
    )  # fmt: skip


@blueprint.post("/drafts")
@guard(*DECIDERS)
def start_draft() -> ResponseReturnValue:
    """Begin a draft from what is in force here, or from a policy file."""
    try:
        text = _file() if _begins() == "file" else None
        with transaction():
            draft_id = drafting.start(actor(), clock.business_date(), text).id
    except CanteenError as refusal:
        return _list(refusal)
    return redirect(url_for("bureau.draft", draft_id=draft_id), 303)


@blueprint.get("/drafts/<int:draft_id>")
@guard(*DECIDERS)
def draft(draft_id: int) -> ResponseReturnValue:
    """One draft: what it changes in plain words, how far it is, and the form of its writer."""
    return _page(draft_id)


def _outdated(row: PolicyDraft, trial: what_ifs.Trial) -> bool:
    """Whether a draft's rules are no longer those that were tried."""
    return what_ifs.rules_digest(row) != trial.digest


def _page(draft_id: int, refusal: CanteenError | None = None) -> ResponseReturnValue:
    by, row = actor(), db.session.get_one(PolicyDraft, draft_id)
    document = drafting.document_of(row)
    changes, trouble = _changes(row)
    errors = _errors(refusal)
    of_ground = row.territory_code == by.territory
    return rendered(
        "bureau/draft.html", row=row, document=document, states=drafting.STATES, kinds=KINDS,
        refusal=refusal,
        changes=changes, trouble=trouble, sections=_sections(numbers(document)),
        typed=_typed, mine=row.made_by == by.label, of_ground=of_ground,
        seen=drafting.digest_of(row), today=clock.business_date(), errors=errors,
        wrong=dict(errors), given=request.form,
        text=json.dumps(body_of(document), ensure_ascii=False, indent=2),
        marks=trail.of("policy_draft", row.id), trial=what_ifs.latest(by).get(row.id),
        outdated=_outdated,
    )  # fmt: skip


def _changes(row: PolicyDraft) -> tuple[list[Difference], Text | None]:
    """What a draft changes against what is in force on its first day, or why nobody can say."""
    try:
        return proposing.changes(drafting.document_of(row), row.in_force_from, standing()), None
    except CanteenError as refused:
        return [], refused.text


def _sections(found: list[Number]) -> list[tuple[Text, list[tuple[Text, list[Number]]]]]:
    """The numbers of a form by section and by what they belong to, each in the order written."""
    sections: dict[str, dict[str, list[Number]]] = {}
    titles: dict[str, Text] = {}
    for number in found:
        group = number.path.rsplit(".", 1)[0] if number.section == "who" else number.title.zh
        titles[group] = number.title
        sections.setdefault(number.section, {}).setdefault(group, []).append(number)
    return [
        (title, [(titles[group], rows) for group, rows in sections[code].items()])
        for code, title in SECTIONS.items() if code in sections
    ]  # fmt: skip


def _typed(number: Number) -> str:
    """A number as a person types it: yuan, percent, or the number itself."""
    if number.value is None:
        return ""
    if number.kind == "yuan":
        return yuan(number.value).replace(",", "")
    return f"{number.value / 100:g}" if number.kind == "percent" else str(number.value)


def _errors(refusal: CanteenError | None) -> list[tuple[str | None, Text]]:
    """What is wrong, by the field it is wrong in: one of the form, or all of a file's keys.

    A text names its keys layers[0].funders, the form its fields layers.0.funders.0.share_bp.
    """
    if refusal is None:
        return []
    defects = refusal.defects if isinstance(refusal, PolicyInvalid) else ()
    if request.form.get("from") == "file" and defects:
        return [
            ("file", Text(f"{at}：{why.zh}", f"{at}: {why.en}") if at else why)
            for at, why in defects
        ]
    if not defects:
        return [(refusal.field, refusal.text)]
    return [(_nearest(re.sub(r"\[(\d+)\]", r".\1", at)), why) for at, why in defects]


def _nearest(path: str) -> str | None:
    """The first field of the form at or within a path of the text."""
    return next((name for name in request.form if f"{name}.".startswith(f"{path}.")), None)


def _begins() -> str:
    """What a draft begins from. Refuses BadField for a form that does not say."""
    chosen = request.form.get("from", "")
    if chosen not in ("in_force", "file"):
        raise BadField(BEGIN, field="from")
    return chosen


def _read(fields: Fields, number: Number) -> int | None:
    """A number as it was typed. Refuses with BadField or BadAmount naming it."""
    try:
        return _entered(fields, number)
    except CanteenError as refusal:
        of, what = number.title, number.label
        call(refusal, {number.path: Text(f"{of.zh}，{what.zh}", f"{of.en}, {what.en}")})
        raise


def _entered(fields: Fields, number: Number) -> int | None:
    """An optional one may be left blank, not left out: nothing ends a cap by omission."""
    if number.path not in fields.given:
        raise BadField(Text("缺少这一项", "This is missing"), field=number.path)
    value = fields.given.get(number.path, "").strip()
    if not value and number.optional:
        return None
    if number.kind == "yuan":
        return parse_yuan(value, field=number.path)
    if number.kind == "percent":
        found = re.fullmatch(r"(\d{1,3})(?:\.(\d{1,2}))?", value, re.ASCII)
        if not found:
            said = Text("请填写百分数，如 33.5", "Enter a percentage, such as 33.5")
            raise BadField(said, field=number.path)
        return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    least, most = (0, 130) if number.kind == "years" else (1, 1000)
    return fields.whole(number.path, least=least, most=most)


def _file() -> str:
    """The text of the file sent. Refuses with BadFile."""
    sent = request.files.get("file")
    raw = sent.read(LONGEST_FILE + 1) if sent else b""
    if not raw or len(raw) > LONGEST_FILE:
        raise BadFile(field="file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile(field="file") from None


def _act(draft_id: int, act: Callable[[Actor], object], said: str) -> ResponseReturnValue:
    """One act on a draft, and its page with what came of it."""
    try:
        with transaction():
            act(actor())
    except CanteenError as refusal:
        return _page(draft_id, refusal)
    flash(said, "done")
    return redirect(url_for("bureau.draft", draft_id=draft_id), 303)


@blueprint.post("/drafts/<int:draft_id>")
@guard(*DECIDERS)
def change_draft(draft_id: int) -> ResponseReturnValue:
    """Change one's own draft: its numbers and head by the form, or all of it by a file."""

    def change(by: Actor) -> None:
        fields = Fields(request.form)
        row = db.session.get_one(PolicyDraft, draft_id)
        if request.form.get("from") == "file":
            drafting.change(
                draft_id, by, values={}, text=_file(), in_force_from=row.in_force_from,
                note=row.note,
            )  # fmt: skip
            return
        known = numbers(drafting.document_of(row))
        values: Mapping[str, int | None] = {each.path: _read(fields, each) for each in known}
        drafting.change(
            draft_id, by, values=values, in_force_from=_day(fields),
            note=fields.text("note", most=400, required=False),
            document=fields.text("document", most=200),
        )  # fmt: skip

    return _act(draft_id, change, t("草案已保存", "The draft is saved"))


def _day(fields: Fields) -> date:
    on = fields.day("in_force_from")
    assert on  # it is required
    return on


@blueprint.post("/drafts/<int:draft_id>/proposal")
@guard(*DECIDERS)
def propose_draft(draft_id: int) -> ResponseReturnValue:
    """Ask a colleague to publish it."""
    today = clock.business_date()
    return _act(
        draft_id, lambda by: drafting.propose(draft_id, by, today),
        t("已提交，等另一位同事发布", "Handed in; a colleague publishes it"),
    )  # fmt: skip


@blueprint.post("/drafts/<int:draft_id>/return")
@guard(*DECIDERS)
def take_back_draft(draft_id: int) -> ResponseReturnValue:
    """Write on at one's own draft."""
    return _act(
        draft_id, lambda by: drafting.take_back(draft_id, by),
        t("已取回，可以继续修改", "Taken back; you can go on writing"),
    )  # fmt: skip


@blueprint.post("/drafts/<int:draft_id>/withdrawal")
@guard(*DECIDERS)
def withdraw_draft(draft_id: int) -> ResponseReturnValue:
    """Give it up; it stays on the list."""
    return _act(
        draft_id, lambda by: drafting.withdraw(draft_id, by), t("草案已撤回", "Withdrawn")
    )


@blueprint.post("/drafts/<int:draft_id>/publication")
@guard(*DECIDERS)
def publish_draft(draft_id: int) -> ResponseReturnValue:
    """Publish a colleague's draft from a day to come."""
    fields, today = Fields(request.form), clock.business_date()
    return _act(
        draft_id,
        lambda by: drafting.publish(
            draft_id, by, _day(fields), request.form.get("seen", ""), today
        ),
        t("政策已发布", "The policy is published"),
    )
