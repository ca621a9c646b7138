"""Checks of policies: the texts meals are priced by are whole, who pays what, and the drafts."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from canteen.db import db
from canteen.subsidies.drafting import document_of
from canteen.subsidies.granting import digest_of
from canteen.subsidies.models import Funding, FundingShare, PolicyDraft, PolicyVersion
from canteen.subsidies.policies import Policy, read_body
from canteen.subsidies.standing import made_of
from canteen.verifying.findings import Check, Found
from canteen.words import Text

AMOUNTS = ("till_fen", "account_fen", "enterprise_fen", "delivery_fen")
SIDES = ("elder", "enterprise", "delivery")


def policies_whole() -> Found:
    """Every published policy has the digest of its text: nobody has touched it since."""
    for row in db.session.scalars(sa.select(PolicyVersion).order_by(PolicyVersion.id)):
        text = read_body(row.body).to_json()
        if hashlib.sha256(text.encode()).hexdigest() != row.digest:
            said = Text("文本与发布时的摘要不符", "does not have the digest it was published with")
            yield f"policy {row.id}", said


def fundings_whole() -> Found:
    """Every way a meal was funded has the digest of its sums and shares, so that whoever pays what
    part is as it was when the meal was priced."""
    shares: dict[int, dict[str, dict[str, int]]] = {}
    for share in db.session.scalars(sa.select(FundingShare)):
        sides = shares.setdefault(share.funding_id, {side: {} for side in SIDES})
        sides.setdefault(share.side, {})[share.funder] = share.amount_fen
    for row in db.session.scalars(sa.select(Funding).order_by(Funding.id)):
        amounts = {name: getattr(row, name) for name in AMOUNTS}
        if digest_of(amounts, shares.get(row.id, {side: {} for side in SIDES})) != row.digest:
            yield f"funding {row.id}", Text(
                "出资明细与首次写下时不符", "its shares are not those it was first written with"
            )


def drafts_published() -> Found:
    """A published draft is the policy it names, by somebody else than its writer."""
    query = (
        sa.select(PolicyDraft, PolicyVersion)
        .outerjoin(PolicyVersion, PolicyVersion.id == PolicyDraft.policy_id)
        .where(PolicyDraft.state == "published")
        .order_by(PolicyDraft.id)
    )
    for draft, version in db.session.execute(query):
        document = document_of(draft)
        if version is None or version.territory_code != draft.territory_code:
            said = Text("没有对应的政策", "became no policy of its ground")
        elif draft.published_by in (None, draft.made_by):
            said = Text("没有第二个人发布", "was published by nobody else than its writer")
        elif not (
            document.digest == version.digest if isinstance(document, Policy)
            else made_of(version.body, document)
        ) or draft.in_force_from != version.in_force_from:  # fmt: skip
            said = Text("与发布的政策不一致", "is not the policy that was published")
        else:
            continue
        yield f"policy draft {draft.id}", said


CHECKS = (
    Check("fundings_whole", Text("出资明细未被改动", "Shares of funders are as first written"),
          fundings_whole),
    Check("policies_whole", Text("政策文本未被改动", "Policies are as published"), policies_whole),
    Check(
        "drafts_published", Text("草案由两人办理", "Drafts became policies by two hands"),
        drafts_published,
    ),
)
