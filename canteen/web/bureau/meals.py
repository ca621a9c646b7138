"""Down from a statement to its meals: day by day, each with every step of its price."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask import render_template, request
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.canteens.models import Canteen
from canteen.db import db
from canteen.elders.models import Elder
from canteen.errors import CanteenError, NotFound
from canteen.orders import cancelling, finding, quoting
from canteen.orders.models import PAYMENTS, SERVICES, STATES, Cancellation, Order
from canteen.settlements import appealing, taken_back
from canteen.settlements import finding as statements
from canteen.settlements.models import Statement
from canteen.subsidies.models import CAUSES, Funding, FundingShare, Grant
from canteen.subsidies.publishing import by_id
from canteen.territory.actors import Actor
from canteen.tills import excess
from canteen.tills.models import BEARERS, Shift
from canteen.tills.notes import in_words
from canteen.web import looks
from canteen.web.bureau import showing, trail
from canteen.web.bureau.door import asked, asked_page, blueprint, canteen_names
from canteen.web.cashier.showing import strip_of, week_after
from canteen.web.errors import rendered
from canteen.web.forms import a_day
from canteen.web.guards import actor

PAGE = 50
MEAL_SIDES = ("elder", "enterprise", "delivery")


def meals_page(by: Actor, statement_id: int) -> ResponseReturnValue:
    """The meals behind a statement: all, one day's, or what was changed for one cause."""
    found = statements.get_for(by, statement_id)
    looks.note("statement", statement_id)
    on = a_day(request.args.get("on", ""))
    side, cause = asked("side", MEAL_SIDES), asked("cause", CAUSES)
    page = statements.meals_of(
        found, page=asked_page(), size=PAGE, on=on, side=side, cause=cause
    )
    names = canteen_names({row.order.canteen_id for row in page.rows})
    return render_template(
        "bureau/meals.html", statement=found, payee=showing.payee(found), page=page, on=on,
        side=side, days=statements.days_of(found), services=SERVICES, canteen_names=names,
        cause=cause, causes=CAUSES,
    )


def takings_page(by: Actor, statement_id: int) -> ResponseReturnValue:
    """The online takings and refunds behind a statement."""
    found = statements.get_for(by, statement_id)
    page = statements.takings_of(found, page=asked_page(), size=PAGE)
    return render_template(
        "bureau/takings.html", statement=found, payee=showing.payee(found), page=page
    )


def meal_page(
    by: Actor, meal_id: int, refusal: CanteenError | None = None
) -> ResponseReturnValue:
    """One meal: what was eaten, what each paid and why, who did what to it."""
    looks.note("meal", meal_id)
    order = db.session.get_one(Order, meal_id)
    quote = quoting.explain(order)
    elder = db.session.get(Elder, order.elder_id) if order.elder_id else None
    found = _statement_of(by, order)
    return rendered(
        "bureau/meal.html", order=order, elder=elder, quote=strip_of(order, quote),
        steps=quote.steps, lines=finding.lines_of([order.id])[order.id], grants=_grants(order.id),
        canteen=db.session.get(Canteen, order.canteen_id), statement=found,
        dots=week_after(order, quote) if elder else None, inputs=order.inputs,
        today=clock.business_date(),
        policy=by_id(order.policy_id).policy if order.policy_id else None,
        cancellation=db.session.get(Cancellation, order.id), cancel_words=cancelling.REASONS,
        services=SERVICES, states=STATES, payments=PAYMENTS,
        trail=trail.of("order", order.id), till=_at_till(order), causes=CAUSES,
        appeals=appealing.of_order(order.id), appeal_states=appealing.STATES,
        appeal_until=_appeal_until(by, order), gone=taken_back.of(order.id), refusal=refusal,
        given=request.form,
    )


def _appeal_until(by: Actor, order: Order) -> date | None:
    """Until when the reader may object to the denial of this meal; None when not."""
    denial = appealing.denial_of(order.id) if by.role == "operator" else None
    if denial is None or any(a.grant_id == denial["id"] for a in appealing.of_order(order.id)):
        return None
    last = appealing.last_day(denial)
    return last if clock.business_date() <= last else None


def excess_page(by: Actor, statement_id: int) -> ResponseReturnValue:
    """The meals of a canteen's month for which a till gave more than was due, and who bears it."""
    found = statements.get_for(by, statement_id)
    if found.canteen_id is None:
        raise NotFound()
    bearer = asked("bearer", BEARERS)
    page = excess.meals(found.canteen_id, found.period, bearer, page=asked_page(), size=PAGE)
    return render_template(
        "bureau/excess.html", statement=found, payee=showing.payee(found), page=page,
        bearer=bearer, bearers=BEARERS, sums=excess.sums(found.canteen_id, found.period),
    )


def _at_till(order: Order) -> dict[str, Any] | None:
    """How the till that sold the meal wrote it down; None for a meal not sold at a till."""
    found = excess.entry_of(order.id)
    if found is None:
        return None
    till, entry = found
    shift = db.session.get(Shift, entry.shift_id) if entry.shift_id else None
    return {
        "till": till, "entry": entry, "shift": shift, "notes": in_words(entry.notes or []),
        "behind": entry.received_at - entry.made_at,
        "drift": entry.device_at - entry.made_at,
        "bearer": excess.bearer_of(order),
    }


def _grants(order_id: int) -> list[dict[str, Any]]:
    """The grant of a meal and what took it back, each with its funders' shares."""
    rows = db.session.execute(
        sa.select(Grant, Funding).join(Funding, Funding.id == Grant.funding_id)
        .where(Grant.order_id == order_id).order_by(Grant.number)
    ).all()  # fmt: skip
    funding_ids = {funding.id for _, funding in rows}
    shares: dict[int, list[FundingShare]] = {}
    for share in db.session.scalars(
        sa.select(FundingShare).where(FundingShare.funding_id.in_(funding_ids))
        .order_by(FundingShare.side, FundingShare.funder)
    ):  # fmt: skip
        shares.setdefault(share.funding_id, []).append(share)
    return [{"grant": grant, "shares": shares.get(funding.id, [])} for grant, funding in rows]


def _statement_of(by: Actor, order: Order) -> Any:
    """The statement that sums the meal up, if there is one and the reader may see it."""
    period = sa.select(Grant.period).where(Grant.order_id == order.id)
    return db.session.scalar(
        sa.select(Statement).where(
            Statement.period.in_(period), Statement.canteen_id == order.canteen_id,
            statements.visible(by),
        ).order_by(Statement.id).limit(1)
    )  # fmt: skip


@blueprint.get("/statements/<int:statement_id>/meals")
def statement_meals(statement_id: int) -> ResponseReturnValue:
    """The meals behind a statement."""
    return meals_page(actor(), statement_id)


@blueprint.get("/statements/<int:statement_id>/takings")
def statement_takings(statement_id: int) -> ResponseReturnValue:
    """The online takings behind a statement."""
    return takings_page(actor(), statement_id)


@blueprint.get("/statements/<int:statement_id>/excess")
def statement_excess(statement_id: int) -> ResponseReturnValue:
    """What the tills gave beyond what was due in the month."""
    return excess_page(actor(), statement_id)


@blueprint.get("/meals/<int:meal_id>")
def meal(meal_id: int) -> ResponseReturnValue:
    """One meal with every reason."""
    return meal_page(actor(), meal_id)
