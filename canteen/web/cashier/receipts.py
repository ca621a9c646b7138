"""The receipt of an order: on the screen, on paper, and as bytes for a receipt printer."""

from __future__ import annotations

import io
from typing import Any

import segno
import sqlalchemy as sa
from flask import Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from canteen import clock
from canteen.canteens.models import MEALS
from canteen.db import db
from canteen.elders import identifying
from canteen.money import yuan
from canteen.orders import finding, quoting
from canteen.orders.models import PAYMENTS, SERVICES, Order, OrderRefund
from canteen.tills.checking import receipt_of
from canteen.tills.entries import sum_of
from canteen.tills.models import TillEntry
from canteen.web.cashier import printing, showing
from canteen.web.cashier.door import blueprint, here
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.words import Text

PAPER_COOKIE = "paper"
PAPERS = ("80", "58")
LARGEST_FEN = 10_000_000


@blueprint.get("/orders/<int:order_id>/receipt")
def receipt(order_id: int) -> ResponseReturnValue:
    """The paper a diner takes along, and the change to give back."""
    slip = _slip(finding.get_for(actor(), order_id))
    paper, address = _paper(), _address(slip)
    page = render_template(
        "cashier/receipt.html", **slip, paper=paper, qr=_qr(address) if address else None,
        address=address, today=clock.business_date(),
    )
    response: Response = make_response(page)
    if request.args.get(PAPER_COOKIE) in PAPERS:  # only how the page looks, so a link may say it
        response.set_cookie(
            PAPER_COOKIE, paper, max_age=365 * 86400, samesite="Lax",
            secure=request.is_secure, httponly=True,
        )
    return response


@blueprint.get("/orders/<int:order_id>/receipt.escpos")
def receipt_bytes(order_id: int) -> ResponseReturnValue:
    """The same receipt as bytes for a printer: the tablet passes them on unread."""
    slip = _slip(finding.get_for(actor(), order_id))
    sent = printing.as_bytes(slip, _paper(), _address(slip))
    return Response(sent, mimetype="application/octet-stream")


def _paper() -> str:
    """The width of the paper in mm: as the address asks, as it was last, else 80."""
    paper = request.args.get(PAPER_COOKIE) or request.cookies.get(PAPER_COOKIE) or ""
    return paper if paper in PAPERS else PAPERS[0]


def _slip(found: Order) -> dict[str, Any]:
    """What a receipt shows of an order, whatever it is printed on."""
    quote, canteen = quoting.explain(found), here()
    diner = None
    if found.elder_id is not None:
        diner = identifying.to_serve(actor(), found.elder_id)
    dots = showing.week_after(found, quote) if diner else None
    given = receipt_of(found.id)
    number = t("第 {n} 号", "No. {n}", n=found.id) if given is None else t(
        "{till} 第 {n} 号", "{till} no. {n}", till=given.till.name, n=given.number
    )  # fmt: skip
    received = _received(found)
    change = showing.change(received, _in_cash(found)) if found.paid_at else None
    return {
        "order": found, "canteen": canteen,
        "title": t(canteen.name, canteen.name_en or canteen.name),
        "number": number, "receipt": given, "lines": finding.lines_of([found.id])[found.id],
        "diner": diner, "quote": showing.strip_of(found, quote), "received": received,
        "change": change, "meals": MEALS, "services": SERVICES,
        "facts": [*_paid(found, received, change), *_of_diner(diner, dots)],
    }


def _in_cash(order: Order) -> int:
    """What of an order is paid in notes and coins, in fen."""
    return order.cash_fen if order.payment == "online" else order.payable_fen


def _received(order: Order) -> int | None:
    """What the diner handed over: as the address says, else as the till wrote it down."""
    asked = request.args.get("received", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 9:
        return min(int(asked), LARGEST_FEN)
    body = db.session.scalar(
        sa.select(TillEntry.body).where(TillEntry.order_id == order.id, TillEntry.kind == "sale")
    )
    return sum_of(body, "received_fen") if body else None


def _paid(order: Order, received: int | None, change: Any) -> list[tuple[Text, Any]]:
    """How it was paid: notes and coins, online, or not yet; what was given and given back."""
    if order.paid_at is None:
        return [(Text("付款", "Paid"), Text("未付", "not yet"))]
    cash, rows = _in_cash(order), []
    for kind, fen in (("cash", cash), ("online", order.payable_fen - cash)):
        if fen or (kind == "cash" and not order.payable_fen):
            rows.append((PAYMENTS[kind], yuan(fen)))
    if change and received is not None and not change["short_fen"] and received != cash:
        both = f"{yuan(received)} / {yuan(change['back_fen'])}"
        rows.append((Text("收到 / 找零", "Received / change"), both))
    back = db.session.scalar(
        sa.select(sa.func.sum(OrderRefund.payable_fen)).where(OrderRefund.order_id == order.id)
    )
    if back:
        rows.append((Text("已退", "Given back"), yuan(int(back))))
    return rows


def _of_diner(diner: Any, dots: showing.Dots | None) -> list[tuple[Text, Any]]:
    """Who ate, their name half hidden, and what is left of the week."""
    if diner is None:
        return []
    rows: list[tuple[Text, Any]] = [(Text("食客", "Diner"), diner.masked_name)]
    if dots:
        left = Text("本周还可用 {n} 次", "{n} left").format(n=dots.left)
        rows.append((Text("补贴", "Subsidised this week"), left))
    return rows


def _address(slip: dict[str, Any]) -> str:
    """Where anybody may check the receipt; "" for an order no till sold."""
    given = slip["receipt"]
    if given is None:
        return ""
    return url_for(
        "public.receipt", till=given.till.id, number=given.number, code=given.code, _external=True
    )


def _qr(address: str) -> Markup:
    """The address as a drawing; it has to be dark on white whatever the page is."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        drawn, kind="svg", border=2, xmldecl=False, svgns=True, nl=False, svgclass="qr",
        lineclass=None, omitsize=True,
    )
    return Markup(drawn.getvalue().decode())  # noqa: S704  drawn here, from an address of ours
