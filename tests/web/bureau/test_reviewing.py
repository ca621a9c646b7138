"""The pages of a review: the sample, marked lines, answers, objections, taking back, the rules."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from canteen.db import db, transaction
from canteen.settlements import looking, rules
from canteen.settlements.models import Statement
from canteen.settlements.review_models import Appeal, Correction, ReviewRule
from canteen.subsidies.models import Grant
from canteen.territory.actors import ROLES
from tests.factories import City, actor, make_user
from tests.settlements.factories import Hands, pass_on, statement_of
from tests.web.bureau.conftest import Enter
from tests.web.world import leads_to_its_field


@pytest.fixture
def here(city: City, hands: Hands) -> Statement:
    """The first canteen's statement, at the street."""
    found = statement_of(city.here)
    pass_on([found.id], hands, upto="operator")
    return found


def drawn(statement: Statement) -> list[int]:
    return [each.sampled.order_id for each in looking.sample_of(statement)]


def test_the_district_is_led_to_the_sample_judges_it_and_passes_it_on(
    city: City, hands: Hands, here: Statement, enter: Enter
) -> None:
    pass_on([here.id], hands, upto="street")
    desk = enter(hands.district)
    page = desk.get(f"/bureau/statements/{here.id}").text
    assert "抽查还有 3 餐没有看" in page and f"/bureau/statements/{here.id}/sample" in page
    assert "先办未完的事" in page and 'name="from" value="statement"' not in page
    refused = desk.post("/bureau/statements/approvals", data={"statement_ids": [here.id]})
    assert refused.status_code == 422
    assert f"还不能办理：{city.here.name}2026年10月：抽查还有 3 餐没有看" in refused.text
    narrowed = "/bureau/statements/approvals?stage=district&period=2026-10"
    refused = desk.post(narrowed, data={"statement_ids": [here.id]}).text
    assert f'action="{narrowed.replace("&", "&amp;")}"' in refused, "narrowed as it was"
    link = f'<a href="/bureau/statements/{here.id}">{city.here.name}2026年10月</a>'
    bulk = f'data-pick-confirm="办理 {{n}} 张结算单，合计 {{sum}} 元，下一步：{ROLES["city"].zh}。'
    assert bulk in refused
    assert link in refused and '<option value="district" selected>' in refused
    first, second, third = drawn(here)
    address = f"/bureau/statements/{here.id}/sample"
    page = desk.get(address).text
    for order in (first, second, third):
        assert f"/bureau/meals/{order}" in page
    assert "这餐的全部补贴（含运营、送餐）" in page
    short = desk.post(address, data={f"verdict-{first}": "wrong", f"reason-{first}": "错"})
    assert short.status_code == 422 and 'value="错"' in short.text
    assert f"第 {first} 号餐：有误的请写明原因" in short.text and leads_to_its_field(short.text)
    data = {f"verdict-{first}": "wrong", f"reason-{first}": "签字与本人不符",
            f"verdict-{second}": "right"}  # fmt: skip
    # One press: what is ticked on the page counts, and only the rest is right.
    more = desk.post(address, data=data | {"rest": "1", "rest_count": "2"})
    assert more.status_code == 422 and "其余没有看的是 1 餐" in more.text
    for blank in ({}, {"rest_count": ""}, {"rest_count": "all"}):
        unsaid = desk.post(address, data=data | {"rest": "1"} | blank)
        assert unsaid.status_code == 422
        assert unsaid.text.count("请在“其余看过几餐”里填写整数") == 2, "above and at the box"
        assert 'id="rest-error"' in unsaid.text
    done = desk.post(address, data=data | {"rest": "1", "rest_count": "1"})
    assert done.status_code == 303
    page = desk.get(f"/bureau/statements/{here.id}").text
    assert "已核减" in page and "结账后的变动" in page and "签字与本人不符" in page
    assert "先办未完的事" not in page
    done = desk.post("/bureau/statements/approvals", data={"statement_ids": [here.id]})
    assert done.status_code == 303
    db.session.rollback()
    assert statement_of(city.here).stage == "city"


def test_the_extrapolated_deduction_is_shown_before_it_is_made(
    city: City, hands: Hands, here: Statement, enter: Enter
) -> None:
    with transaction() as session:
        rule = ReviewRule(
            district_code="120104", from_on=rules.date(2026, 1, 1), sample_bp=500, sample_least=3,
            stages=[{"stage": s.office, "day": s.day, "silent": s.silent, "remind_days": 2}
                    for s in rules.DEFAULT.stages],
            extrapolate=True, set_by="user:0", set_at=here.prepared_at,
        )  # fmt: skip
        session.add(rule)
        session.flush()
        session.execute(sa.update(Statement).where(Statement.id == here.id)
                        .values(rule_id=rule.id))  # fmt: skip
    pass_on([here.id], hands, upto="street")
    desk, address = enter(hands.district), f"/bureau/statements/{here.id}"
    first, *_ = drawn(here)
    desk.post(f"{address}/sample", data={f"verdict-{first}": "wrong",
                                         f"reason-{first}": "签字与本人不符"})  # fmt: skip
    desk.post(f"{address}/sample", data={"rest": "1", "rest_count": "2"})
    page = desk.get(f"{address}/sample").text
    fen = re.search(r'name="fen" value="(\d+)"', page)
    assert fen and "÷" in page
    wrong = desk.post(f"{address}/deductions", data={"fen": int(fen[1]) + 1})
    assert wrong.status_code == 409 and "金额已有变化" in wrong.text
    assert desk.post(f"{address}/deductions", data={"fen": fen[1]}).status_code == 303
    db.session.rollback()
    assert statement_of(city.here).deducted_fen == -int(fen[1])
    page = desk.get(address).text
    assert "抽查推算扣减" in page and "先办未完的事" not in page


def test_marked_lines_open_to_the_operator_and_come_back_with_before_and_after(
    city: City, hands: Hands, here: Statement, enter: Enter
) -> None:
    street, address = enter(hands.street), f"/bureau/statements/{here.id}"
    page = street.get(f"{address}/marks").text
    orders = re.findall(r'name="orders" value="(\d+)"', page)
    assert len(orders) == here.meals
    orders = [str(order) for order in drawn(here)]
    nothing = street.post(f"{address}/marks", data={"reason": "签到表里没有这餐"})
    assert nothing.status_code == 422 and "请勾选" in nothing.text
    short = street.post(f"{address}/marks", data={"reason": "错", "orders": orders[:1]})
    assert short.status_code == 422 and f'value="{orders[0]}" checked' in short.text
    sent = {"reason": "签到表里没有这餐", "orders": orders[:2]}
    assert street.post(f"{address}/marks", data=sent).status_code == 303
    db.session.rollback()
    desk = enter(hands.operator)
    page = desk.get(f"/operator/statements/{here.id}").text
    assert "2 条待更正的餐次没有回复" in page and "签到表里没有这餐" in page
    assert page.count("button-primary") == 1, "one way to the same act"
    assert "确认 1 张结算单" not in desk.get("/operator").text, "it cannot be confirmed yet"
    lines = db.session.scalars(sa.select(Correction).order_by(Correction.id)).all()
    first, second = (line.id for line in lines)
    db.session.rollback()
    page = desk.get(f"/operator/statements/{here.id}/corrections").text
    assert f"/operator/corrections/{first}/answers" in page
    empty = desk.post(f"/operator/corrections/{first}/answers", data={"act": "keep"})
    assert empty.status_code == 422 and "请写明原因" in empty.text
    assert leads_to_its_field(empty.text)
    bare = desk.post(f"/operator/corrections/{first}/answers", data={"words": "写了一半"})
    assert leads_to_its_field(bare.text) and ">写了一半</textarea>" in bare.text
    for line, sent in (
        (first, {"act": "withdraw", "words": "重复录入"}),
        (second, {"act": "service", "service": "pick_up", "words": "实为自取"}),
    ):
        done = desk.post(f"/operator/corrections/{line}/answers", data=sent)
        assert done.status_code == 303, done.text
    page = desk.get(f"/operator/statements/{here.id}/corrections").text
    assert "撤回了这餐的补贴</span>：重复录入" in page
    desk.post("/language/en")
    page = desk.get(f"/operator/statements/{here.id}/corrections").text
    assert "Gave up this meal&#39;s subsidy</span>: 重复录入" in page
    desk.post("/language/zh")
    again = desk.post(f"/operator/corrections/{first}/answers", data={"act": "withdraw"})
    assert again.status_code == 409
    confirmed = desk.post("/operator/statements/approvals", data={"statement_ids": [here.id]})
    assert confirmed.status_code == 303
    page = street.get(f"{address}/sample").text
    assert "已看（另有 1 餐已收回，不用看）" in page and "0 / 2" in page
    page = street.get(address).text
    assert "已看 0 餐，其中 0 餐有误；1 餐已收回，不用看；" in page
    assert "<s>堂食</s>" in page and "<strong>自取</strong>" in page and "<s>3.00</s>" in page
    assert street.post(f"{address}/noted-corrections").status_code == 303
    db.session.rollback()
    assert {line.state for line in db.session.scalars(sa.select(Correction))} == {"closed"}


def test_a_line_no_longer_asked_for_is_withdrawn(
    city: City, hands: Hands, here: Statement, enter: Enter
) -> None:
    street, address = enter(hands.street), f"/bureau/statements/{here.id}"
    order = db.session.scalar(sa.select(Grant.order_id).where(Grant.canteen_id == city.here.id))
    street.post(f"{address}/marks", data={"reason": "请核对这一餐", "orders": [order]})
    db.session.rollback()
    line = db.session.scalars(sa.select(Correction)).one().id
    db.session.rollback()
    assert "不再要求" in street.get(address).text
    assert street.post(f"/bureau/corrections/{line}/withdrawals").status_code == 303
    assert street.post(f"/bureau/corrections/{line}/withdrawals").status_code == 409


def test_an_approval_is_taken_back_from_the_page(
    city: City, hands: Hands, here: Statement, enter: Enter
) -> None:
    desk, address = enter(hands.operator), f"/operator/statements/{here.id}"
    assert "撤回我方的办理" in desk.get(address).text
    short = desk.post(f"{address}/undoings", data={"reason": "错"})
    assert short.status_code == 422 and ">错</textarea>" in short.text
    assert desk.post(f"{address}/undoings", data={"reason": "漏看了一天"}).status_code == 303
    db.session.rollback()
    assert statement_of(city.here).stage == "operator"
    page = desk.get(address).text
    assert "撤回办理" in page and "漏看了一天" in page
    late = enter(hands.street).post(f"/bureau/statements/{here.id}/undoings",
                                    data={"reason": "漏看了一天"})  # fmt: skip
    assert late.status_code == 409


def test_a_denied_meal_is_objected_to_and_another_officer_decides(
    city: City, hands: Hands, here: Statement, enter: Enter
) -> None:
    pass_on([here.id], hands, upto="street")
    first, *_ = drawn(here)
    officer = enter(hands.district)
    wrong = {f"verdict-{first}": "wrong", f"reason-{first}": "签字与本人不符"}
    officer.post(f"/bureau/statements/{here.id}/sample", data=wrong)
    desk = enter(hands.operator)
    page = desk.get(f"/operator/meals/{first}").text
    assert f"/operator/meals/{first}/appeals" in page
    assert 'href="/operator/statements" aria-current="page"' in page
    page = officer.get(f"/bureau/meals/{first}").text
    assert 'href="/bureau/statements" aria-current="page"' in page
    short = desk.post(f"/operator/meals/{first}/appeals", data={"reason": "不"})
    assert short.status_code == 422 and ">不</textarea>" in short.text
    sent = desk.post(f"/operator/meals/{first}/appeals", data={"reason": "女儿代签，有照片"})
    assert sent.status_code == 303
    assert "女儿代签" in desk.get(f"/operator/meals/{first}").text
    db.session.rollback()
    appeal = db.session.scalars(sa.select(Appeal)).one().id
    db.session.rollback()
    page = officer.get("/bureau/appeals").text
    assert "女儿代签" in page and "须由另一位同事复核" in page
    own = {"verdict": "upheld", "reason": "照片属实"}
    assert officer.post(f"/bureau/appeals/{appeal}/decisions", data=own).status_code == 403
    with transaction():
        other = actor(make_user("district", territory_code="120104"))
    colleague = enter(other)
    assert "成立，予以支付" in colleague.get("/bureau/appeals").text
    for wrong in ({"reason": "属"}, {"verdict": ""}):
        refused = colleague.post(f"/bureau/appeals/{appeal}/decisions", data=own | wrong)
        assert refused.status_code == 422 and leads_to_its_field(refused.text)
    assert colleague.post(f"/bureau/appeals/{appeal}/decisions", data=own).status_code == 303
    assert "申诉成立" in colleague.get("/bureau/appeals?state=all").text
    assert "申诉成立，按无误计" in colleague.get(f"/bureau/statements/{here.id}/sample").text
    assert enter(hands.street).get("/bureau/appeals").status_code == 200


def test_a_district_sets_its_rule_and_sees_those_before(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.district)
    page = desk.get("/bureau/review-rules").text
    assert "默认规则" in page and "现行" in page
    form = {
        "district": "120104", "has_operator": "1", "day_operator": "4", "remind_operator": "2",
        "silent_operator": "consent", "day_street": "9", "remind_street": "2",
        "silent_street": "remind", "day_district": "14", "remind_district": "2", "day_city": "19",
        "remind_city": "3", "sample_bp": "2.5", "sample_least": "4", "from_on": "2030-01-01",
        "extrapolate": "1", "claim_days": "60", "late_days": "365", "debt_days": "45",
        "appeal_days": "20",
    }
    assert 'name="late_days" value="730"' in page
    far = desk.post("/bureau/review-rules", data=form | {"appeal_days": "367"})
    assert far.status_code == 422 and 'value="367"' in far.text
    bad = desk.post("/bureau/review-rules", data=form | {"day_city": "14"})
    assert bad.status_code == 422 and "次月几日前：期限须逐环节推后" in bad.text
    assert 'value="2.5"' in bad.text
    assert desk.post("/bureau/review-rules", data=form).status_code == 303
    page = desk.get("/bureau/review-rules").text
    assert "将生效" in page and "视为同意" in page
    db.session.rollback()
    rule = db.session.scalars(sa.select(ReviewRule)).one()
    assert [stage["stage"] for stage in rule.stages] == ["operator", "district", "city"]
    assert (rule.sample_bp, rule.sample_least, rule.extrapolate) == (250, 4, True)
    assert (rule.claim_days, rule.late_days, rule.debt_days, rule.appeal_days) == (60, 365, 45, 20)
    assert "补记追溯 365 天" in page
    db.session.rollback()
    foreign = desk.post("/bureau/review-rules", data=form | {"district": "120103"})
    assert foreign.status_code == 422
    assert enter(hands.street).get("/bureau/review-rules").status_code == 403
    assert "河西" in enter(hands.city).get("/bureau/review-rules").text


def test_anybody_reads_the_seeds(city: City, hands: Hands, enter: Enter, client) -> None:
    told = client.get("/samples.json").get_json()
    assert told["period"] == "2026-10"
    assert [each["district"] for each in told["draws"]] == ["120103", "120104"]
    page = client.get("/samples").text
    assert told["draws"][0]["seed"] in page
    assert client.get("/samples?period=1999-01").status_code == 200


def test_the_pages_read_in_english_too(
    city: City, hands: Hands, here: Statement, enter: Enter
) -> None:
    pass_on([here.id], hands, upto="street")
    desk = enter(hands.district)
    desk.set_cookie("lang", "en")
    for path, words in (
        (f"/bureau/statements/{here.id}", "Before it can go on"),
        (f"/bureau/statements/{here.id}/sample", "How they were drawn"),
        (f"/bureau/statements/{here.id}/marks", "The whole day"),
        ("/bureau/appeals", "No appeal waits"), ("/bureau/review-rules", "Set a new rule"),
        ("/samples", "How it is drawn"),
    ):  # fmt: skip
        assert words in desk.get(path).text, path
