"""The bureau's blueprint: who may come in, the navigation, and what its templates may say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, g, request, url_for

from canteen import clock
from canteen.access.models import User
from canteen.adjustments import claims
from canteen.canteens import finding as canteens
from canteen.canteens.models import CAPABILITIES, MEALS, REASONS, STATUSES, Canteen
from canteen.db import db
from canteen.payouts import changing_accounts, letters
from canteen.payouts import finding as payouts
from canteen.performance.models import Judgement
from canteen.performance.schemes import GRADES
from canteen.settlements import appealing, problems
from canteen.settlements.finding import SIDES
from canteen.settlements.finding import visible as statements_of
from canteen.settlements.models import STAGES, Payout, Statement
from canteen.subsidies.explaining import FUNDERS
from canteen.territory.actors import BUREAU, DECIDERS, HOME, ROLES, Actor
from canteen.territory.models import Territory, level_of, stem
from canteen.web.bureau import menu
from canteen.web.guards import actor, guard, guard_door
from canteen.web.language import t
from canteen.words import Text

READERS = (*BUREAU, "evaluator")
PAGE = 50

blueprint = Blueprint("bureau", __name__, url_prefix="/bureau")
guard_door(blueprint, guard(*BUREAU))


def asked_page() -> int:
    """The page of a list the address asks for: 1 unless it is a sensible number."""
    given = request.args.get("page", "1")
    return max(1, int(given)) if given.isascii() and given.isdigit() and len(given) < 7 else 1


def asked(name: str, among: Any = None) -> str | None:
    """A filter of the address; None when it is empty or not one of those there are."""
    value = request.args.get(name, "").strip()[:80]
    return value if value and (among is None or value in among) else None


def places() -> dict[str, Text]:
    """Every territory's name by its code, read once a request."""
    if "places" not in g:
        rows = db.session.execute(
            sa.select(Territory.code, Territory.name_zh, Territory.name_en)
            .order_by(Territory.code)
        )
        g.places = {row.code: Text(row.name_zh, row.name_en) for row in rows}
    return g.places


def place(code: str | None) -> Text | str:
    """A territory's name; a code nobody entered stands for itself."""
    return places().get(code or "", code or "")


def placed(code: str) -> Text:
    """A territory by its name; a street's with that of its district, for streets share names."""
    name, above = places()[code], places().get(code[:6])
    if len(code) < 9 or above is None:
        return name
    return Text(f"{above.zh} {name.zh}", f"{name.en}, {above.en}")


def grounds(by: Actor, level: str = "") -> list[tuple[str, Text]]:
    """The districts and streets on an actor's ground, for a filter or a form."""
    if by.territory is None:
        return []
    inside = stem(by.territory)
    found = [(code, name) for code, name in places().items() if code.startswith(inside)]
    if level == "street":
        whole = by.role == "city"
        return [(code, placed(code) if whole else name) for code, name in found if len(code) == 9]
    if by.role == "city":
        return [one for one in found if level_of(one[0]) == "district"]
    return [one for one in found if len(one[0]) == 9]


def districts(by: Actor) -> list[str]:
    """The districts that lie on an actor's ground, or are it."""
    return [code for code in places() if level_of(code) == "district" and by.reaches(code)]


def person(label: str | None) -> Text | str:
    """Who a label names, as people say it: "user:7" is a person and their office."""
    kind, _, rest = (label or "").partition(":")
    if kind == "user" and rest.isdigit():
        user = db.session.get(User, int(rest))
        if user is not None:
            role = ROLES[user.role]
            at = place(user.territory_code) if user.territory_code else ""
            of = at if isinstance(at, Text) else Text("", "")
            name = called(user.name) if user.role in HOME else user.name
            return Text(f"{name}({of.zh or role.zh})", f"{name} ({of.en or role.en})")
    if kind == "canteen":
        return Text("食堂收银台", "The canteen's till")
    if kind == "job":
        return Text("系统按时自动办理", "Automatic, on its day")
    if kind == "nobody":
        return Text("未登录的人", "Somebody not signed in")
    return label or ""


def waiting_counts(by: Actor) -> dict[str, int]:
    """What waits for this office: statements, findings, proposals about the sign, payouts."""
    if "waiting_counts" in g:
        return g.waiting_counts
    counts = {"statements": 0, "findings": 0, "proposals": 0, "payouts": 0}
    of_statements = sa.select(sa.func.count()).select_from(Statement)
    if by.role in BUREAU:
        mine = of_statements.where(statements_of(by), Statement.stage == by.role)
        counts["statements"] = db.session.scalar(mine) or 0
    if by.role in DECIDERS:
        counts["findings"] = problems.to_decide(by, held_only=True)
        counts["appeals"] = appealing.waiting_count(by)
        here = sa.select(Canteen.id).where(canteens.visible(by))
        open_now = sa.select(sa.func.count()).select_from(Judgement).where(
            Judgement.state == "proposed", Judgement.canteen_id.in_(here)
        )
        counts["proposals"] = db.session.scalar(open_now) or 0
    if by.role == "city":
        failed = sa.select(sa.func.count()).select_from(Payout).where(Payout.state == "failed")
        counts["payouts"] = db.session.scalar(failed) or 0
        counts["batches"] = payouts.to_release(by)
    if by.role in BUREAU:
        counts["bank_changes"] = changing_accounts.waiting_count(by, clock.now())
        counts["letters"] = letters.waiting_count(by)
        counts["claims"] = claims.count(by)
    g.waiting_counts = counts
    return counts


def words() -> dict[str, Any]:
    """What the desk's templates may say, here and at the operator's."""
    return {
        "place": place, "person": person, "MEALS": MEALS, "STATUSES": STATUSES, "STAGES": STAGES,
        "SIDES": SIDES, "FUNDERS": FUNDERS, "GRADES": GRADES, "REASONS": REASONS,
        "CAPABILITIES": CAPABILITIES, "ROLES": ROLES, "at": at,
        "called": called,
    }


def canteen_names(canteen_ids: Iterable[int]) -> dict[int, Text]:
    """The names of several canteens in both languages, in one query."""
    rows = db.session.execute(
        sa.select(Canteen.id, Canteen.name, Canteen.name_en).where(Canteen.id.in_(canteen_ids))
    )
    return {row.id: Text(row.name, row.name_en or row.name) for row in rows}


def called(name: str) -> str:
    """An elder's name as this desk may show it: an operator gets 王*英."""
    if request.blueprint != "operator" or not name:
        return name
    return name[:1] + "*" * max(len(name) - 2, 1) + (name[-1] if len(name) > 2 else "")


def at(endpoint: str, **values: Any) -> str:
    """The address of a page that both desks have, at the desk the reader sits at."""
    return url_for(f"{request.blueprint}.{endpoint}", **values)


@blueprint.context_processor
def furniture() -> dict[str, Any]:
    """The layout's navigation and every word table."""
    if g.get("actor") is None:
        return words()
    nav, subnav = menu.tabs(actor(), waiting_counts(actor()))
    home = url_for("bureau.desk" if actor().role in BUREAU else "bureau.evaluation")
    return words() | {
        "nav": nav, "subnav": subnav, "home_url": home, "desk": "bureau",
        "desk_name": t("民政工作台", "Civil affairs desk"),
    }
