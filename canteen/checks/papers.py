"""Checks of the canteen: its papers and its sign on the day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.canteens.models import Licence, ListingChange
from canteen.checks import spelling
from canteen.checks.gathering import MEALS
from canteen.checks.parts import Check, Look, Scope, among
from canteen.checks.rows import meal, per_canteen
from canteen.checks.summing import PLACES
from canteen.words import Text

m, place = MEALS.c, PLACES.c


def _expired(kind: str) -> Look:
    """Meals of days on which no paper of a kind was valid, if there ever was one."""

    def covers(since: Any, until: Any, canteen_id: Any) -> Any:
        valid = aliased(Licence)
        return sa.exists().where(
            valid.canteen_id == canteen_id, valid.kind == kind, valid.valid_from <= since,
            sa.or_(valid.valid_to.is_(None), valid.valid_to >= until),
        )  # fmt: skip

    @among("canteen", lambda scope: ~covers(place.first_on, place.last_on, place.canteen_id))
    def find(scope: Scope) -> sa.Select[Any]:
        last = (
            sa.select(Licence.canteen_id, sa.func.max(Licence.valid_to).label("until"))
            .where(Licence.kind == kind).group_by(Licence.canteen_id).subquery()
        )  # fmt: skip
        return meal(until_on=last.c.until).join(last, last.c.canteen_id == m.canteen_id).where(
            ~covers(m.on, m.on, m.canteen_id)
        )

    return find


def _none_on_file(kind: str) -> Callable[[Scope], sa.Select[Any]]:
    """Canteens of which no paper of a kind was ever entered."""

    def find(scope: Scope) -> sa.Select[Any]:
        own = sa.exists().where(Licence.canteen_id == place.canteen_id, Licence.kind == kind)
        return per_canteen(scope).where(~own)

    return find


def _sign(*statuses: str) -> Look:
    """Meals sold while the sign said so by the history of its changes."""
    ever = sa.exists().where(
        ListingChange.canteen_id == place.canteen_id, ListingChange.to_status.in_(statuses)
    )

    @among("canteen", lambda scope: ever)
    def find(scope: Scope) -> sa.Select[Any]:
        began = spelling.epoch(ListingChange.at)
        ended = sa.func.lead(began).over(
            partition_by=ListingChange.canteen_id, order_by=(ListingChange.at, ListingChange.id)
        )
        history = sa.select(
            ListingChange.canteen_id, ListingChange.to_status, began.label("began"),
            ended.label("ended"),
        ).subquery()
        h = history.c
        during = sa.and_(h.began <= m.at, sa.or_(h.ended.is_(None), m.at < h.ended))
        return meal(since_at=h.began, status=h.to_status).join(
            history, sa.and_(h.canteen_id == m.canteen_id, during)
        ).where(h.to_status.in_(statuses))

    return find


def _check(code: str, title: Text, reason: Text, why: Text, mode: str, find: Any,
           about: str = "order", **thresholds: int) -> Check:
    return Check(code, "papers", title, reason, why, mode, find, thresholds, about)


CHECKS = (
    _check(
        "food_licence_expired", Text("食品经营许可证过期", "Food licence expired"),
        Text("{meal_on}售餐时没有有效的食品经营许可证（登记的有效期至{until_on}）",
             "No food licence was valid on {meal_on} (on file until {until_on})"),
        Text("无有效许可证不得供餐", "Without a valid licence nothing may be served"),
        "hold", _expired("food"),
    ),
    _check(
        "business_licence_expired", Text("营业执照过期", "Business licence expired"),
        Text("{meal_on}售餐时没有有效的营业执照（登记的有效期至{until_on}）",
             "No business licence was valid on {meal_on} (on file until {until_on})"),
        Text("主体资格失效后的餐不应补贴", "The enterprise had lost its standing"),
        "hold", _expired("business"),
    ),
    _check(
        "agreement_expired", Text("助餐协议过期", "Agreement expired"),
        Text("{meal_on}有补贴餐时没有有效的助餐协议（登记的有效期至{until_on}）",
             "No agreement was valid on {meal_on} (on file until {until_on})"),
        Text("补贴以与街道的协议为依据", "The subsidy rests on the agreement with the street"),
        "hold", _expired("agreement"),
    ),
    _check(
        "no_food_licence", Text("没有登记食品经营许可证", "No food licence on file"),
        Text("食堂没有登记食品经营许可证，本月有{meals}份补贴餐",
             "No food licence is on file; {meals:meal|meals} subsidised this month"),
        Text("证照缺失须补登", "The paper must be put on file"),
        "warn", _none_on_file("food"), about="canteen",
    ),
    _check(
        "no_business_licence", Text("没有登记营业执照", "No business licence on file"),
        Text("食堂没有登记营业执照，本月有{meals}份补贴餐",
             "No business licence is on file; {meals:meal|meals} subsidised this month"),
        Text("证照缺失须补登", "The paper must be put on file"),
        "warn", _none_on_file("business"), about="canteen",
    ),
    _check(
        "no_agreement", Text("没有登记助餐协议", "No agreement on file"),
        Text("食堂没有登记助餐协议，本月有{meals}份补贴餐",
             "No agreement is on file; {meals:meal|meals} subsidised this month"),
        Text("补贴以与街道的协议为依据", "The subsidy rests on the agreement with the street"),
        "warn", _none_on_file("agreement"), about="canteen",
    ),
    _check(
        "while_suspended", Text("暂停服务期间售餐", "Sold while suspended"),
        Text("食堂自{since_at}起暂停服务，{meal_on}仍有补贴餐",
             "The canteen was suspended from {since_at}; subsidised on {meal_on}"),
        Text("按挂牌变更记录的时间独立复核", "Against the dated history of the sign"),
        "hold", _sign("suspended"),
    ),
    _check(
        "while_delisted", Text("摘牌后售餐", "Sold after delisting"),
        Text("食堂自{since_at}起已摘牌，{meal_on}仍有补贴餐",
             "The canteen was delisted from {since_at}; subsidised on {meal_on}"),
        Text("按挂牌变更记录的时间独立复核", "Against the dated history of the sign"),
        "hold", _sign("delisted"),
    ),
    _check(
        "before_listing", Text("挂牌前售餐", "Sold before it was listed"),
        Text("{meal_on}食堂还没有挂牌，已有补贴餐",
             "The canteen was not yet listed on {meal_on}"),
        Text("挂牌之日起才有补贴", "Subsidies begin with the sign"),
        "hold", _sign("applied", "under_review", "public_notice"),
    ),
)  # fmt: skip
