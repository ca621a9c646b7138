"""A policy is written by one person and published by another, from a day to come."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.errors import NotFound
from canteen.subsidies import drafting
from canteen.subsidies.comparing import differences
from canteen.subsidies.models import PolicyDraft, PolicyVersion
from canteen.subsidies.policies import Overlay, Policy, PolicyInvalid, load_folder
from canteen.subsidies.proposing import ChangesNothing, EndsItself, NotAhead, Unnamed
from canteen.subsidies.publishing import AlreadyPublished, in_force
from canteen.subsidies.revising import numbers, revised
from canteen.subsidies.standing import UNNAMED, NothingToExtend, merged, standing
from canteen.territory.actors import Actor
from tests.factories import actor, make_city, make_user

TODAY = date(2026, 11, 23)
NEW_YEAR = date(2027, 1, 1)
NUMBER = "津民发〔2026〕9号"
FOUR_FROM_75 = {"eligibility.0.min_age": 75, "layers.0.amount.fen": 400}
SHIPPED = load_folder()
V2024 = next(each for each in SHIPPED if each.code == "tianjin-V2024")
HEXI = next(each for each in SHIPPED if isinstance(each, Overlay))


def office(role: str, ground: str) -> Actor:
    """Somebody of an office."""
    with transaction():
        return actor(make_user(role, territory_code=ground))


def draft(
    by: Actor, values: dict[str, int | None], text: str | None = None, document: str = NUMBER
) -> int:
    """A draft of somebody's, with some numbers changed, beginning at New Year."""
    with transaction():
        made = drafting.start(by, TODAY, text)
        drafting.change(made.id, by, values=values, in_force_from=NEW_YEAR, document=document)
    return made.id


def publish(draft_id: int, writer: Actor, publisher: Actor, on: date = NEW_YEAR) -> PolicyDraft:
    """Both acts of a draft that is fine."""
    with transaction():
        drafting.propose(draft_id, writer, TODAY)
    with transaction():
        seen = drafting.digest_of(db.session.get_one(PolicyDraft, draft_id))
        return drafting.publish(draft_id, publisher, on, seen, TODAY)


def test_four_yuan_from_75_is_written_by_one_and_published_by_another(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("city", "120000"), office("city", "120000")
    made = publish(draft(one, FOUR_FROM_75), one, other)
    assert (made.state, made.published_by, made.in_force_from) == (
        "published", other.label, NEW_YEAR
    )
    before, after = in_force("120104", NEW_YEAR - timedelta(days=1)), in_force("120104", NEW_YEAR)
    assert before.policy == V2024
    assert after.id == made.policy_id
    assert after.policy.code == "tianjin-V2026"
    assert after.policy.eligibility[0].min_age == 75
    assert after.policy.eligibility[0].title.text == ("天津户籍75周岁及以上",
                                                      "Tianjin household, 75 or over")
    acts = db.session.scalars(
        sa.select(AuditRecord.act).where(AuditRecord.subject == "policy_draft")
        .order_by(AuditRecord.id)
    )
    assert list(acts) == ["start_draft", "change_draft", "propose_draft", "publish_draft"]


def test_a_new_city_policy_takes_the_overlays_of_districts_along(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("city", "120000"), office("city", "120000")
    publish(draft(one, FOUR_FROM_75), one, other)
    hexi = in_force("120103", NEW_YEAR).policy
    assert hexi.code == "tianjin+hexi-V2026+V2020"
    assert [part.amount.fen for part in hexi.layers] == [400, 300]  # type: ignore[union-attr]
    assert in_force("120103", NEW_YEAR - timedelta(days=1)).policy.version == "V2024+V2020"


def test_a_district_widens_its_overlay_and_no_other_district_is_touched(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("district", "120103"), office("district", "120103")
    publish(draft(one, {"layers.0.amount.fen": 500}), one, other)
    hexi = in_force("120103", NEW_YEAR).policy
    assert hexi.code == "tianjin+hexi-V2024+V2026"
    assert [part.amount.fen for part in hexi.layers] == [300, 500]  # type: ignore[union-attr]
    assert in_force("120104", NEW_YEAR).policy == V2024
    assert {text.code for text in standing() if isinstance(text, Overlay)} == {
        "tianjin-hexi-V2020", "tianjin-hexi-V2026"
    }


def test_a_district_without_an_overlay_begins_with_one(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("district", "120104"), office("district", "120104")
    publish(draft(one, {"eligibility.0.min_age": 70}), one, other)
    nankai = in_force("120104", NEW_YEAR).policy
    assert nankai.name == "tianjin+nankai"
    assert nankai.eligibility[-1].household == ("120104",)
    assert nankai.eligibility[-1].min_age == 70
    assert {funder.code for funder in nankai.layers[-1].funders} == {"district"}


def test_a_second_policy_follows_the_first(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("city", "120000"), office("city", "120000")
    hexi = office("district", "120103"), office("district", "120103")
    publish(draft(hexi[0], {"layers.0.amount.fen": 500}), *hexi)
    publish(draft(one, FOUR_FROM_75), one, other, date(2027, 3, 1))
    publish(draft(one, {"layers.0.amount.fen": 350}), one, other, date(2027, 2, 1))
    policies = [in_force("120103", date(2027, month, 15)).policy for month in (1, 2, 3)]
    assert [policy.version for policy in policies] == [
        "V2024+V2026", "V2026.2+V2026", "V2026+V2026"
    ]
    row = db.session.scalars(
        sa.select(PolicyVersion).where(
            PolicyVersion.territory_code == "120000",
            PolicyVersion.in_force_from == date(2027, 2, 1),
        )
    ).one()
    assert row.in_force_to == date(2027, 2, 28)


def test_who_wrote_it_does_not_publish_it(app: Flask) -> None:
    make_city(TODAY)
    one = office("city", "120000")
    with pytest.raises(drafting.SameHand):
        publish(draft(one, FOUR_FROM_75), one, one)
    assert in_force("120104", NEW_YEAR).policy == V2024


def test_nobody_else_changes_a_draft(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("city", "120000"), office("city", "120000")
    number = draft(one, FOUR_FROM_75)
    for act in (
        lambda: drafting.change(number, other, values={}, in_force_from=NEW_YEAR),
        lambda: drafting.propose(number, other, TODAY),
        lambda: drafting.take_back(number, other),
        lambda: drafting.withdraw(number, other),
    ):
        with pytest.raises(drafting.NotYours), transaction():
            act()


def test_a_text_that_changed_after_it_was_read_is_not_published(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("city", "120000"), office("city", "120000")
    number = draft(one, FOUR_FROM_75)
    seen = drafting.digest_of(db.session.get_one(PolicyDraft, number))
    with transaction():
        drafting.change(number, one, values={"layers.0.amount.fen": 900}, in_force_from=NEW_YEAR)
        drafting.propose(number, one, TODAY)
    with pytest.raises(drafting.Changed), transaction():
        drafting.publish(number, other, NEW_YEAR, seen, TODAY)


def test_a_policy_begins_on_a_day_to_come(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("city", "120000"), office("city", "120000")
    with pytest.raises(NotAhead):
        publish(draft(one, FOUR_FROM_75), one, other, TODAY)


@pytest.mark.parametrize("ground", ["120000", "120103"])
def test_what_changes_nothing_is_neither_handed_in_nor_published(app: Flask, ground: str) -> None:
    make_city(TODAY)
    role = "city" if ground == "120000" else "district"
    one, other = office(role, ground), office(role, ground)
    same = draft(one, {})
    with pytest.raises(ChangesNothing), transaction():
        drafting.propose(same, one, TODAY)
    first, twin = (draft(one, {"layers.0.amount.fen": 350}) for _ in range(2))
    with transaction():
        drafting.propose(twin, one, TODAY)
        seen = drafting.digest_of(db.session.get_one(PolicyDraft, twin))
    publish(first, one, other)
    with pytest.raises(ChangesNothing), transaction():
        drafting.publish(twin, other, date(2027, 2, 1), seen, TODAY)
    assert in_force("120103", date(2027, 2, 1)) == in_force("120103", NEW_YEAR)


def test_a_draft_is_handed_in_under_the_number_of_its_document(app: Flask) -> None:
    make_city(TODAY)
    one = office("city", "120000")
    nameless = draft(one, FOUR_FROM_75, document=f"方案({UNNAMED})")
    with pytest.raises(Unnamed) as refused, transaction():
        drafting.propose(nameless, one, TODAY)
    assert refused.value.field == "document"


def test_a_day_that_has_a_policy_takes_no_second_one(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("city", "120000"), office("city", "120000")
    first, second = draft(one, FOUR_FROM_75), draft(one, {"layers.0.amount.fen": 350})
    publish(first, one, other)
    with pytest.raises((PolicyInvalid, AlreadyPublished)):
        publish(second, one, other)


def test_every_state_takes_only_its_own_acts(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("city", "120000"), office("city", "120000")
    number = draft(one, FOUR_FROM_75)
    seen = drafting.digest_of(db.session.get_one(PolicyDraft, number))
    with pytest.raises(drafting.NotInState), transaction():
        drafting.publish(number, other, NEW_YEAR, seen, TODAY)
    with transaction():
        drafting.propose(number, one, TODAY)
    with pytest.raises(drafting.NotInState), transaction():
        drafting.change(number, one, values={}, in_force_from=NEW_YEAR)
    with transaction():
        drafting.take_back(number, one)
        drafting.propose(number, one, TODAY)
        drafting.withdraw(number, other)
    for act in (drafting.take_back, drafting.withdraw):
        with pytest.raises(drafting.NotInState), transaction():
            act(number, one)


def test_another_office_neither_sees_nor_publishes_a_draft(app: Flask) -> None:
    make_city(TODAY)
    city, hexi = office("city", "120000"), office("district", "120103")
    of_city, of_hexi = draft(city, FOUR_FROM_75), draft(hexi, {"layers.0.amount.fen": 500})
    with pytest.raises(NotFound), transaction():
        drafting.withdraw(of_city, hexi)
    with pytest.raises(drafting.NotOfYourGround), transaction():
        drafting.withdraw(of_hexi, city)
    seen = db.session.scalars(sa.select(PolicyDraft.id).where(drafting.visible(hexi)))
    assert list(seen) == [of_hexi]
    with pytest.raises(drafting.NotOfYourGround), transaction():
        drafting.start(hexi, TODAY, _toml().replace("120103", "120104"))


def _toml() -> str:
    from canteen.subsidies.policies import SHIPPED as FOLDER

    return (FOLDER / "tianjin-hexi.toml").read_text()


def test_a_file_can_be_the_draft(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("district", "120103"), office("district", "120103")
    text = _toml().replace('"V2020"', '"V2027"').replace("fen = 300", "fen = 250")
    publish(draft(one, {}, text), one, other)
    assert in_force("120103", NEW_YEAR).policy.layers[-1].amount.fen == 250  # type: ignore[union-attr]
    with pytest.raises(PolicyInvalid), transaction():
        drafting.start(one, TODAY, "name = 1")
    with pytest.raises(NothingToExtend):
        publish(draft(one, {}, text.replace('extends = "tianjin"', 'extends = "x"')), one, other)


def test_an_end_of_its_own_is_refused(app: Flask) -> None:
    make_city(TODAY)
    one, other = office("district", "120103"), office("district", "120103")
    text = _toml().replace('"V2020"', '"V2027"').replace(
        "effective_from = 2020-01-01", "effective_from = 2027-01-01\neffective_to = 2027-12-31"
    )
    with pytest.raises(EndsItself):
        publish(draft(one, {}, text), one, other)


@pytest.mark.parametrize("document", SHIPPED, ids=lambda each: each.code)
def test_every_number_of_a_policy_can_be_changed_alone(document: Policy | Overlay) -> None:
    found = numbers(document)
    assert found
    for number in found:
        if number.value is None or number.path.endswith("share_bp"):
            continue
        try:
            changed = revised(document, {number.path: number.value + 1})
        except PolicyInvalid:
            continue  # a day's cap above the week's, an age beyond the end of its range
        now = {each.path: each.value for each in numbers(changed)}
        assert now.pop(number.path) == number.value + 1
        assert now == {each.path: each.value for each in found if each.path != number.path}
    assert revised(document, {each.path: each.value for each in found}) == document


def test_what_cannot_be_is_named_by_its_path() -> None:
    with pytest.raises(PolicyInvalid) as refused:
        revised(V2024, {"layers.0.funders.0.share_bp": 6000})
    assert refused.value.field == "layers[0].funders"
    with pytest.raises(KeyError):
        revised(V2024, {"layers.0.code": 1})


def test_differences_are_said_in_plain_words() -> None:
    after = revised(V2024, FOUR_FROM_75 | {"caps.per_week": None})
    assert isinstance(after, Policy) and isinstance(V2024, Policy)
    found = {each.title.en: each for each in differences(V2024, after)}
    assert list(found) == ["Who is entitled", "To the elder", "When and how often"]
    assert "75" in found["Who is entitled"].new[0].zh
    assert [text.en for text in found["To the elder"].gone] == [
        "Elder meal subsidy: 3.00 yuan a meal (the city 50 % and the district 50 %)"
    ]
    assert not found["When and how often"].new
    assert not differences(V2024, msgspec.structs.replace(V2024, version="V9", document="x"))
    assert differences(V2024, msgspec.structs.replace(V2024, eligibility=V2024.eligibility[::-1]))


def test_an_overlay_is_compared_as_what_it_makes_of_its_base() -> None:
    whole = merged(HEXI, TODAY, SHIPPED)
    wider = revised(HEXI, {"layers.0.amount.fen": 500})
    [found] = differences(whole, merged(wider, TODAY, SHIPPED))
    assert "5.00" in found.new[0].zh
