"""How each district sets each check: ignored, warning or holding, from a day on, with its past."""

from __future__ import annotations

import re
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from canteen import clock
from canteen.checks import catalogue, settings
from canteen.checks.describing import THRESHOLDS
from canteen.checks.models import MODES
from canteen.checks.parts import FAMILIES, Check
from canteen.db import transaction
from canteen.errors import CanteenError, NotFound
from canteen.territory.actors import Actor
from canteen.web.bureau.door import DECIDERS, asked, blueprint, districts
from canteen.web.errors import rendered
from canteen.web.forms import Fields, call
from canteen.web.guards import actor, guard
from canteen.web.language import t
from canteen.words import Text


def list_page(by: Actor, district: str) -> ResponseReturnValue:
    """Every check as it is set in one district today."""
    today = clock.business_date()
    now = settings.in_force(today)
    families = []
    for family, title in FAMILIES.items():
        checks = [check for check in catalogue.CHECKS if check.family == family]
        families.append((title, [(one, _in_force(now, one, district)) for one in checks]))
    return render_template(
        "bureau/check_settings.html", families=families, district=district,
        districts=districts(by), modes=MODES, thresholds=THRESHOLDS, today=today,
    )  # fmt: skip


def _in_force(now: dict[str, Any], check: Check, district: str) -> settings.Setting:
    """A district without a canteen has the defaults."""
    return now[check.code].get(district) or settings.Setting(check.mode, dict(check.thresholds))


def one_page(
    by: Actor, district: str, check: Check, refusal: CanteenError | None = None
) -> ResponseReturnValue:
    """One check: what it is for, how it was and is set here, and the form for a new setting."""
    today = clock.business_date()
    return rendered(
        "bureau/check_setting.html", check=check, district=district, districts=districts(by),
        now=settings.setting_for(check.code, district, today), today=today, modes=MODES,
        past=settings.history(check.code, district), thresholds=THRESHOLDS, refusal=refusal,
        given=request.form, families=FAMILIES, says=_blank(check.reason),
    )  # fmt: skip


def _blank(sentence: Text) -> Text:
    """A check's sentence before anything was found: … where the evidence will stand."""
    named = re.findall(r"\{(\w+)", "".join(sentence))
    return sentence.format(**dict.fromkeys(named, "…"))


@blueprint.get("/check-settings")
@guard(*DECIDERS)
def check_settings() -> ResponseReturnValue:
    """All checks of a district, or one of them."""
    by = actor()
    mine = districts(by)
    if not mine:
        raise NotFound()
    district = asked("district", mine) or mine[0]
    code = asked("check", catalogue.BY_CODE)
    if code:
        return one_page(by, district, catalogue.check(code))
    return list_page(by, district)


@blueprint.post("/check-settings")
@guard(*DECIDERS)
def set_check() -> ResponseReturnValue:
    """Set a check for a district from a day on, with a reason; what is held stays held, see
    `canteen.checks.settings`."""
    by, fields, today = actor(), Fields(request.form), clock.business_date()
    district = str(fields.choice("district", districts(by)))
    check = catalogue.check(str(fields.choice("check", catalogue.BY_CODE)))
    try:
        mode = str(fields.choice("mode", MODES))
        changed = {name: fields.whole(name, most=settings.MOST) for name in check.thresholds}
        from_on = fields.day("from_on") or today
        with transaction():
            settings.set_mode(
                check.code, district, mode, from_on, request.form.get("reason", ""), by=by,
                today=today,
                thresholds={k: v for k, v in changed.items() if v != check.thresholds[k]},
            )  # fmt: skip
    except CanteenError as refusal:
        call(refusal, THRESHOLDS)
        return one_page(by, district, check, refusal)
    flash(t("“{check}”的新设定已登记", "The new setting of “{check}” is entered",
            check=check.title), "done")  # fmt: skip
    return redirect(
        url_for("bureau.check_settings", district=district, check=check.code), 303
    )
