"""The manager's tablets: which there are, what each still owes, codes for new ones, and PINs."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.access import pins
from canteen.db import transaction
from canteen.errors import CanteenError
from canteen.tills import enrolling
from canteen.tills.models import Till
from canteen.web.cashier.door import MANAGER, blueprint, here
from canteen.web.errors import status_of
from canteen.web.forms import BadField
from canteen.web.guards import actor
from canteen.web.language import t
from canteen.words import Text

MUCH_DRIFT_MS = 120_000


class Unequal(BadField):
    """The second typing of a new PIN is another than the first."""

    text = Text("两次输入的 PIN 码不同", "The two PINs are not the same")


@dataclass(frozen=True)
class Shown:
    """A till as its manager sees it."""

    till: Till

    @property
    def missing(self) -> int:
        """How many numbers the tablet has made and not sent."""
        return self.till.claimed - self.till.head

    @property
    def numbers(self) -> str:
        """Which numbers they are: "5", "5–8"."""
        first, last = self.till.head + 1, self.till.claimed
        return f"{first}" if first == last else f"{first}–{last}"

    @property
    def alarm(self) -> Text | None:
        """What its alarm means and what to do."""
        return enrolling.alarm_text(self.till.alarm) if self.till.alarm else None

    @property
    def drift(self) -> Text | None:
        """How far its clock is off, when that is worth a word. Positive: the tablet is behind."""
        off = self.till.drift_ms
        if abs(off) < MUCH_DRIFT_MS:
            return None
        minutes = round(abs(off) / 60_000)
        words = (
            Text("慢 {n} 分钟", "{n} minutes slow") if off > 0
            else Text("快 {n} 分钟", "{n} minutes fast")
        )  # fmt: skip
        return words.format(n=minutes)


@blueprint.get("/tills")
@MANAGER
def tills() -> ResponseReturnValue:
    """Every tablet of this canteen, and who may open them."""
    return _tills()


@blueprint.post("/tills/codes")
@MANAGER
def make_till_code() -> ResponseReturnValue:
    """A one-time code for one more tablet, shown on this page and nowhere again."""
    at = clock.now()
    with transaction():
        code = enrolling.make_code(here().id, actor(), at)
    return _tills(code=code, until=at + enrolling.CODE_LIVES)


@blueprint.post("/tills/<int:till_id>/withdrawal")
@MANAGER
def withdraw_till(till_id: int) -> ResponseReturnValue:
    """Shut a tablet out: lost, stolen, or no longer used."""
    with transaction():
        enrolling.withdraw(till_id, actor(), clock.now())
    flash(t("已停用这台收银机", "This till is shut out"), "done")
    return redirect(url_for("cashier.tills"), 303)


@blueprint.post("/tills/<int:till_id>/reinstatement")
@MANAGER
def reinstate_till(till_id: int) -> ResponseReturnValue:
    """Let it in again; what it kept arrives when it next sends."""
    with transaction():
        enrolling.reinstate(till_id, actor())
    flash(t("已恢复这台收银机", "This till may work again"), "done")
    return redirect(url_for("cashier.tills"), 303)


@blueprint.post("/tills/<int:till_id>/alarm-seen")
@MANAGER
def quiet_alarm(till_id: int) -> ResponseReturnValue:
    """The manager has looked into the alarm."""
    with transaction():
        enrolling.quiet_alarm(till_id, actor())
    flash(t("已记下您核查过", "Noted that you have looked into it"), "done")
    return redirect(url_for("cashier.tills"), 303)


@blueprint.post("/tills/pins")
@MANAGER
def set_cashiers_pin() -> ResponseReturnValue:
    """A first PIN for a cashier, or a new one for who forgot theirs."""
    given = request.form.get("cashier", "")
    try:
        staff = {str(user.id): user for user in pins.of_canteen(here().id)}
        if given not in staff:
            raise BadField(Text("请选择收银员", "Choose a cashier"), field="cashier")
        pin = _new_pin()
        name = staff[given].name
        with transaction():
            pins.set_pin(int(given), pin, actor())
    except CanteenError as refusal:
        return _tills(refusal=refusal)
    done = t("{name}可以用 PIN 码打开收银机了", "{name} can open the till by PIN", name=name)
    flash(done, "done")
    return redirect(url_for("cashier.tills"), 303)


@blueprint.get("/pin")
def pin() -> ResponseReturnValue:
    """The form for one's own PIN."""
    return render_template("cashier/pin.html", refusal=None, has_pin=_has_pin())


@blueprint.post("/pin")
def set_own_pin() -> ResponseReturnValue:
    """A new PIN of one's own, for who knows the present one or the password."""
    by = actor()
    try:
        chosen = pins.checked(_new_pin())
        with transaction():
            outcome = pins.attempt_own(
                by.user_id or 0, request.form.get("current", "")[:200], request.remote_addr or ""
            )
            if outcome.user is not None:
                pins.set_pin(outcome.user.id, chosen, by)
        outcome.or_raise()
    except CanteenError as refusal:
        status, headers = status_of(refusal)
        page = render_template("cashier/pin.html", refusal=refusal, has_pin=_has_pin())
        return page, status, headers
    flash(t("PIN 码已设好", "Your PIN is set"), "done")
    return redirect(url_for("cashier.pin"), 303)


def _new_pin() -> str:
    pin, again = (request.form.get(name, "").strip()[:40] for name in ("pin", "again"))
    if pin != again:
        raise Unequal(field="again")
    return pin


def _has_pin() -> bool:
    own = actor().user_id
    return any(user.id == own and user.pin_hash for user in pins.of_canteen(here().id))


def _tills(refusal: CanteenError | None = None, **more: object) -> ResponseReturnValue:
    canteen = here()
    staff = pins.of_canteen(canteen.id)
    page = render_template(
        "cashier/tills.html", refusal=refusal, given=request.form, staff=staff,
        tills=[Shown(till) for till in enrolling.tills_of(canteen.id)],
        cashiers=[user for user in staff if user.role == "cashier"], **more,
    )
    if refusal:
        status, headers = status_of(refusal)
        return page, status, headers
    return page, 201 if "code" in more else 200
