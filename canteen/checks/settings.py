"""How each district sets each check, from which day on: ignore, warn or hold, and thresholds.

Within a month the strictest counts: a month is looked at under every setting that was in force on
one of its days. So a stricter setting acts at once, a looser one from the next month on, and no
setting lets go what another one held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from canteen import clock
from canteen.audit.recording import record
from canteen.canteens.models import Canteen
from canteen.checks import catalogue
from canteen.checks.models import MODES, CheckSetting
from canteen.checks.parts import Check
from canteen.db import db, insert
from canteen.errors import NotFound, Refused
from canteen.reasons import reason_of
from canteen.territory.actors import Actor
from canteen.territory.models import Territory
from canteen.words import Text

MOST = 100_000_000


class BadSetting(Refused):
    """The setting is out of bounds; `field` names what."""

    code = "bad_check_setting"


@dataclass(frozen=True)
class Setting:
    """How a check is set for a district. `from_on` is None where nothing was set."""

    mode: str
    thresholds: Mapping[str, int]
    from_on: date | None = None
    set_by: str = ""
    reason: str = ""


def setting_for(code: str, district: str, on: date) -> Setting:
    """The setting of a check in force in a district on a day."""
    row = db.session.scalars(
        sa.select(CheckSetting)
        .where(
            CheckSetting.district_code == district, CheckSetting.code == code,
            CheckSetting.from_on <= on,
        )
        .order_by(CheckSetting.from_on.desc()).limit(1)
    ).first()  # fmt: skip
    return _setting(catalogue.check(code), row)


def history(code: str, district: str) -> list[Setting]:
    """Every setting of a check a district ever made, the latest first."""
    rows = db.session.scalars(
        sa.select(CheckSetting)
        .where(CheckSetting.district_code == district, CheckSetting.code == code)
        .order_by(CheckSetting.from_on.desc())
    )
    return [_setting(catalogue.check(code), row) for row in rows]


def set_mode(
    code: str, district: str, mode: str, from_on: date, reason: str, *, by: Actor, today: date,
    thresholds: Mapping[str, int] | None = None, at: datetime | None = None,
) -> None:
    """A district sets a check from a day on, today at the earliest, and says why; thresholds left
    out keep their defaults. A second setting of a day to come replaces the first; one that is in
    force stands. Refuses BadSetting, ReasonMissing, Forbidden, NotFound."""
    by.must_be("district", "city")
    known = catalogue.check(code)
    if not by.reaches(district) or db.session.get(Territory, district) is None:
        raise NotFound()
    if mode not in MODES:
        raise BadSetting(Text("请选择处理方式", "Choose what the check does"), field="mode")
    if from_on < today:
        raise BadSetting(
            Text("最早只能从今天起生效", "It can take effect from today at the earliest"),
            field="from_on",
        )
    if from_on == today and setting_for(code, district, today).from_on == today:
        raise BadSetting(
            Text("今天已经设定过，请从明天起", "It was set today already; set it from tomorrow"),
            field="from_on",
        )
    changed = dict(thresholds or {})
    for name, value in changed.items():
        if name not in known.thresholds or not 0 <= value <= MOST:
            raise BadSetting(
                Text("阈值不存在或超出范围", "No such threshold, or out of bounds"), field=name
            )
    values = {
        "mode": mode, "thresholds": changed, "reason": reason_of(reason), "set_by": by.label,
        "set_at": at or clock.now(),
    }
    db.session.execute(
        insert(CheckSetting.__table__)
        .values(district_code=district, code=code, from_on=from_on, **values)
        .on_conflict_do_update(index_elements=["district_code", "code", "from_on"], set_=values)
    )
    detail = {"code": code, "mode": mode, "from_on": from_on.isoformat(), "thresholds": changed,
              "reason": values["reason"]}  # fmt: skip
    record(by.label, "set_check", "territory", district, detail)


def in_force(on: date) -> dict[str, dict[str, Setting]]:
    """The settings of a day of all checks, {code: {district: setting}}, for every district with
    a canteen."""
    return {
        code: {district: past[-1] for district, past in by_district.items()}
        for code, by_district in during(on, on).items()
    }


def during(first: date, last: date) -> dict[str, dict[str, list[Setting]]]:
    """Every setting in force on a day from `first` to `last`, {code: {district: [setting]}}, the
    oldest first, for every district with a canteen."""
    districts = list(db.session.scalars(sa.select(Canteen.district_code).distinct()))
    found = {
        check.code: {district: [_setting(check, None)] for district in districts}
        for check in catalogue.CHECKS
    }
    rows = db.session.scalars(
        sa.select(CheckSetting).where(CheckSetting.from_on <= max(first, last))
        .order_by(CheckSetting.from_on)
    )  # fmt: skip
    for row in rows:
        past = found.get(row.code, {}).get(row.district_code)
        if past is not None:
            if row.from_on <= first:
                past.clear()
            past.append(_setting(catalogue.check(row.code), row))
    return found


def strictest(settings: Iterable[Setting]) -> str:
    """The strictest mode of some settings: "hold", "warn" or "ignore"."""
    return max((setting.mode for setting in settings), key=list(MODES).index)


def _setting(check: Check, row: CheckSetting | None) -> Setting:
    if row is None:
        return Setting(check.mode, dict(check.thresholds))
    own = {k: v for k, v in row.thresholds.items() if k in check.thresholds}
    return Setting(row.mode, {**check.thresholds, **own}, row.from_on, row.set_by, row.reason)
