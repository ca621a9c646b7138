"""Bearer tokens for the API: shown once, kept as a digest, with an end."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from canteen import clock
from canteen.access.models import ApiToken, User
from canteen.audit.recording import record
from canteen.db import changed, db
from canteen.errors import Forbidden, NotFound, Refused
from canteen.territory.actors import Actor
from canteen.words import Text

PREFIX = "canteen_"  # so that a leaked one is recognised for what it is
LONGEST_DAYS = 366

Refusal = Literal["unknown", "expired", "revoked", "disabled"]


class BadToken(Refused):
    """A token's name or length of life is out of bounds."""

    code = "bad_token"


@dataclass(frozen=True)
class TokenAnswer:
    """Whose token it is, or why it opens nothing."""

    user: User | None
    reason: Refusal | None = None

    @property
    def text(self) -> Text:
        """Why not, in both languages."""
        return {
            "expired": Text("访问令牌已过期", "The token has expired"),
            "revoked": Text("访问令牌已作废", "The token was revoked"),
            "disabled": Text("令牌所属账号已停用", "The token's user is disabled"),
        }.get(self.reason or "", Text("访问令牌无效", "The token is not valid"))


def make_token(user_id: int, name: str, days: int, by: Actor) -> str:
    """A new token in plain text, shown this once; good for `days` days, at most 366.

    By the user, or by city staff for another. Refuses BadToken, Forbidden and NotFound.
    """
    _own(user_id, by)
    name = name.strip()
    if not 1 <= len(name) <= 60 or not name.isprintable():
        raise BadToken(Text("名称为 1 至 60 个字", "A name has 1 to 60 characters"), field="name")
    if not 1 <= days <= LONGEST_DAYS:
        raise BadToken(
            Text("有效期为 1 至 366 天", "A token lives for 1 to 366 days"), field="days"
        )
    user = db.session.get(User, user_id)
    if user is None or user.disabled_at is not None:
        raise NotFound()
    plain = PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    db.session.execute(
        sa.insert(ApiToken).values(
            digest=digest_of(plain), user_id=user_id, name=name, made_at=now,
            expires_at=now + timedelta(days=days),
        )
    )  # fmt: skip
    record(by.label, "make_token", "user", user_id, {"name": name, "days": days})
    return plain


def user_of_token(plain: str, at: datetime | None = None) -> TokenAnswer:
    """Whose token this is now, or at another instant."""
    at = at or clock.now()
    found = db.session.execute(
        sa.select(ApiToken, User)
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.digest == digest_of(plain))
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        return TokenAnswer(None, "unknown")
    token, user = found
    if token.revoked_at is not None:
        return TokenAnswer(None, "revoked")
    if token.expires_at <= at:
        return TokenAnswer(None, "expired")
    if user.disabled_at is not None:
        return TokenAnswer(None, "disabled")
    return TokenAnswer(user)


def revoke(digest: str, by: Actor) -> None:
    """Close a token at once, by its digest. Refuses NotFound when there is none left to close."""
    user_id = db.session.scalar(sa.select(ApiToken.user_id).where(ApiToken.digest == digest))
    if user_id is None:
        raise NotFound()
    _own(user_id, by)
    closed = db.session.execute(
        sa.update(ApiToken)
        .where(ApiToken.digest == digest, ApiToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    if not changed(closed):
        raise NotFound()
    record(by.label, "revoke_token", "user", user_id)


def digest_of(plain: str) -> str:
    """What is kept of a token: it is long and random, so a plain digest is enough."""
    return hashlib.sha256(plain.encode()).hexdigest()


def _own(user_id: int, by: Actor) -> None:
    if by.role not in ("job", "city") and by.user_id != user_id:
        raise Forbidden()
