"""The sample: drawn from a published seed, looked at before the district passes, extrapolated."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.audit.models import AuditRecord
from canteen.checks.models import Suspicion
from canteen.db import db, transaction
from canteen.orders.cancelling import cancel
from canteen.reasons import ReasonMissing
from canteen.settlements import (
    amending,
    changing,
    extrapolating,
    gates,
    holding,
    looking,
    reviewing,
    sampling,
)
from canteen.settlements.models import Statement, StatementLine
from canteen.settlements.review_models import SampledMeal, SampleDraw
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from canteen.verifying import verify
from tests.factories import City, make_canteen, make_elder
from tests.settlements.factories import (
    AFTER,
    OCTOBER,
    Hands,
    add_grants,
    at_noon,
    close,
    little_month,
    make_funding,
    pass_on,
    statement_of,
)
from tests.settlements.test_rules import set_rule

LATER = at_noon(AFTER, 14)
WRONG = ("wrong", "签字与本人不符")
RIGHT = ("right", "")


@pytest.fixture
def city(app: Flask) -> City:
    return little_month()


@pytest.fixture
def hands(city: City) -> Hands:
    return city.extra["hands"]


def drawn_of(statement: Statement) -> list[int]:
    return [each.sampled.order_id for each in looking.sample_of(statement)]


def look(statement: Statement, by: Actor, verdicts: dict[int, tuple[str, str]]) -> int:
    with transaction():
        return looking.look(statement.id, verdicts, by, LATER)


def test_anybody_can_draw_the_sample_again_with_pencil_and_paper(city: City) -> None:
    close()
    record = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "close")).one()
    end = record.detail["chain_end"]
    assert end == record.previous_hash
    for draw in db.session.scalars(sa.select(SampleDraw)):
        told = hashlib.sha256(f"{end}|{OCTOBER}|{draw.district_code}".encode()).hexdigest()
        assert draw.seed == told
    here = statement_of(city.here)
    seed = db.session.get_one(SampleDraw, (OCTOBER, "120104")).seed
    prime = 2**31 - 1
    a, b = 1 + int(seed[:16], 16) % (prime - 1), int(seed[16:32], 16) % prime
    sold = db.session.scalars(
        sa.select(Grant.order_id).where(Grant.canteen_id == city.here.id, Grant.number == 1)
    ).all()
    back = set(db.session.scalars(sa.select(Grant.order_id).where(Grant.cause == "cancelled")))
    ranked = sorted(set(sold) - back, key=lambda order: ((a * order + b) % prime, order))
    assert sorted(ranked[:3]) == sorted(drawn_of(here)), "three at least, five in a hundred"
    assert verify() == []


def test_the_share_is_of_each_statement_rounded_up(city: City, hands: Hands) -> None:
    """Some hundreds of meals at two more canteens: drawn by the rule, all in one query."""
    with transaction():
        canteens = [make_canteen("120104001") for _ in range(2)]
        elders = [make_elder(sequence=500 + n).id for n in range(3)]
        funding = make_funding({("elder", "city"): 300, ("enterprise", "city"): 200})
        add_grants(700, [one.id for one in canteens], elders, [funding], city.items[0].menu_id)
    set_rule(hands.district, sample_bp=333, sample_least=1)
    close()
    counts = Counter(db.session.scalars(sa.select(SampledMeal.statement_id)))
    for canteen in (*canteens, city.here):
        statement = statement_of(canteen)
        assert counts[statement.id] == -(-statement.meals * 333 // 10_000)
    again = {row.order_id for row in sampling.draw_again(OCTOBER, "120104")}
    ours = sa.select(Statement.id).where(Statement.district_code == "120104")
    kept = sa.select(SampledMeal.order_id).where(SampledMeal.statement_id.in_(ours))
    assert again == set(db.session.scalars(kept))


def test_a_rule_without_a_sample_draws_none(city: City, hands: Hands) -> None:
    set_rule(hands.district, sample_bp=0, sample_least=0)
    close()
    assert drawn_of(statement_of(city.here)) == []
    assert drawn_of(statement_of(city.elsewhere)) != []


def test_the_district_passes_nothing_before_it_has_looked(city: City, hands: Hands) -> None:
    close()
    here = statement_of(city.here)
    first, *others = drawn_of(here)
    with pytest.raises(reviewing.NotYourTurn):
        look(here, hands.district, {first: RIGHT})
    pass_on([here.id], hands, upto="street")
    with pytest.raises(gates.NotReady) as refused, transaction():
        reviewing.approve([here.id], hands.district)
    assert refused.value.detail["missing"] == {"sample": 3}
    assert look(here, hands.district, {first: RIGHT}) == 1
    assert look(here, hands.district, {first: RIGHT}) == 0, "the same again is nothing new"
    with transaction():
        assert looking.look_rest([here.id], hands.district, LATER) == len(others)
    pass_on([here.id], hands)
    assert verify() == []


def test_nor_before_what_is_held_is_decided(city: City, hands: Hands) -> None:
    order = db.session.scalar(
        sa.select(Grant.order_id).where(Grant.canteen_id == city.here.id, Grant.till_fen > 0)
    )
    with transaction():
        found = Suspicion(
            code="deceased", period=OCTOBER, canteen_id=city.here.id, order_id=order,
            key=f"order:{order}", amount_fen=500, evidence={}, mode="hold", state="open",
            found_at=LATER, reason="", false_alarm=False,
        )
        db.session.add(found)
    close()
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    with transaction():
        looking.look_rest([here.id], hands.district, LATER)
    with pytest.raises(gates.NotReady) as refused, transaction():
        reviewing.approve([here.id], hands.district)
    assert refused.value.detail["missing"] == {"findings": 1}
    assert [each.suspicion.id for each in looking.flagged_of(here)] == [found.id]
    with transaction():
        holding.decide(found.id, "pay", "与家属核实过", by=hands.district, at=LATER)
    pass_on([here.id], hands)
    assert verify() == []


def test_a_wrong_meal_is_denied_and_given_again_when_it_was_right(
    city: City, hands: Hands
) -> None:
    close()
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    total = statement_of(city.here).total_fen
    first, second, third = drawn_of(here)
    with pytest.raises(ReasonMissing):
        look(here, hands.district, {first: ("wrong", "错")})
    with pytest.raises(looking.BadVerdict):
        look(here, hands.district, {first: ("maybe", "不清楚呢")})
    with pytest.raises(looking.NotDrawn):
        look(here, hands.district, {999_999: RIGHT})
    assert look(here, hands.district, {first: WRONG, second: RIGHT, third: WRONG}) == 3
    after = statement_of(city.here)
    assert after.total_fen < total
    assert {each.sampled.order_id: each.stands for each in looking.sample_of(after)} == {
        first: False, second: True, third: False,
    }
    look(here, hands.district, {first: RIGHT})
    look(here, hands.district, {third: RIGHT})
    assert statement_of(city.here).total_fen == total
    assert [a.cause for a in amending.amendments_of(here.id)] == ["denied", "released", "released"]
    pass_on([here.id], hands)
    assert verify() == []


def test_a_meal_that_is_given_up_needs_no_look(city: City, hands: Hands) -> None:
    close()
    here = statement_of(city.here)
    first, *others = drawn_of(here)
    with transaction():
        changing.take_back({first: None}, "corrected", hands.operator, LATER, reason="重复录入")
    pass_on([here.id], hands, upto="street")
    with pytest.raises(looking.NothingToJudge):
        look(here, hands.district, {first: WRONG})
    with transaction():
        assert looking.look_rest([here.id], hands.district, LATER) == len(others)
    with transaction():
        cancel(others[0], "mistake", "", city.manager, LATER)
    with pytest.raises(looking.NothingToJudge):  # found right, taken back since
        look(here, hands.district, {others[0]: WRONG})
    pass_on([here.id], hands)
    assert verify() == []


def test_only_the_district_looks_and_nobody_who_acted_before(city: City, hands: Hands) -> None:
    close()
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    (first, *_) = drawn_of(here)
    from canteen.errors import Forbidden, NotFound

    promoted = Actor("district", hands.street.user_id, territory="120104")
    for by, refusal in (
        (hands.street, Forbidden), (hands.operator, Forbidden), (promoted, reviewing.SameHand),
        (city.extra["hands_elsewhere"].district, NotFound), (hands.city, reviewing.NotYourTurn),
    ):
        with pytest.raises(refusal):
            look(here, by, {first: RIGHT})


def deduction_lines(statement: Statement) -> list[int]:
    return list(
        db.session.scalars(
            sa.select(StatementLine.amount_fen).where(
                StatementLine.statement_id == statement.id, StatementLine.side == "deduction"
            )
        )
    )


def apply(statement: Statement, fen: int, by: Actor) -> Any:
    with transaction():
        return extrapolating.apply(statement.id, fen, by, LATER)


def test_errors_are_extrapolated_with_the_arithmetic_shown_and_follow_the_verdicts(
    city: City, hands: Hands
) -> None:
    set_rule(hands.district, rules_stages(), sample_bp=0, sample_least=2, extrapolate=True)
    close()
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    before = statement_of(city.here).total_fen
    one, two = looking.sample_of(here)
    with pytest.raises(extrapolating.SampleUnfinished):
        apply(here, 1, hands.district)
    look(here, hands.district, {one.order.id: WRONG, two.order.id: RIGHT})
    found = extrapolating.of(statement_of(city.here))
    assert (found.looked, found.wrong, found.unlooked) == (2, 1, 0)
    assert found.looked_fen == one.fen + two.fen and found.wrong_fen == one.fen
    assert found.rest_fen == before - statement_of(city.here).online_fen - one.fen - two.fen
    assert found.fen == one.fen * found.rest_fen // found.looked_fen > 0
    assert "÷" in found.arithmetic.zh
    with pytest.raises(gates.NotReady) as refused, transaction():
        reviewing.approve([here.id], hands.district)
    assert refused.value.detail["missing"] == {"extrapolation": 1}
    with pytest.raises(extrapolating.SumChanged):
        apply(here, found.fen - 1, hands.district)
    assert apply(here, found.fen, hands.district).settled
    assert apply(here, found.fen, hands.district).applied_fen == found.fen, "once"
    [told] = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "extrapolate"))
    assert (told.actor, told.detail) == (hands.district.label, {"amount_fen": found.fen})
    cut = statement_of(city.here)
    assert (cut.deducted_fen, cut.total_fen) == (-found.fen, before - one.fen - found.fen)
    assert sum(deduction_lines(cut)) == -found.fen
    assert verify() == []
    look(here, hands.district, {one.order.id: RIGHT})  # it was right after all
    again = statement_of(city.here)
    assert (again.deducted_fen, again.total_fen) == (0, before)
    assert set(deduction_lines(again)) == {0}
    pass_on([here.id], hands)
    assert verify() == []


def rules_stages() -> Any:
    from canteen.settlements.rules import DEFAULT

    return DEFAULT.stages


def test_without_the_rule_nothing_is_extrapolated(city: City, hands: Hands) -> None:
    close()
    here = statement_of(city.here)
    pass_on([here.id], hands, upto="street")
    look(here, hands.district, dict.fromkeys(drawn_of(here), WRONG))
    with pytest.raises(extrapolating.NotExtrapolated):
        apply(here, 1, hands.district)
    pass_on([here.id], hands)
