"""Every check of `canteen verify` is quiet on a healthy month and sees the fault it is for."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask

from canteen import clock
from canteen.audit.models import AuditRecord
from canteen.db import db, is_postgresql, transaction
from canteen.orders.booking import post_day
from canteen.orders.cancelling import cancel
from canteen.payments.models import OutboxMessage
from canteen.payouts import arriving
from canteen.settlements import changing
from canteen.settlements.models import Payout, Statement
from canteen.tills import ruling
from canteen.verifying import CHECKS, examine, verify
from tests.factories import City, make_menu
from tests.planting import planted
from tests.settlements.factories import (
    AFTER,
    JOB,
    at_noon,
    close,
    little_month,
    pass_on,
    pay_all,
    statement_of,
)
from tests.subsidies.drafts import published
from tests.tills.drawers import begin, make_till, whole_shift
from tests.tills.tablet import Tablet


def settle_everything(city: City) -> None:
    """October closed, approved and paid; one meal taken back after it; November closed, carried."""
    close()
    everyone = {"here": city.here, "hands_elsewhere": city.elsewhere}
    for name, canteen in everyone.items():
        hands = city.extra["hands" if name == "here" else name]
        pass_on([statement_of(canteen).id], hands)
        pay_all()
    own = statement_of(elder_id=city.extra["second"].id)
    pass_on([own.id], city.extra["hands"])
    pay_all()
    sent = sa.literal("tr_") + sa.cast(OutboxMessage.id, sa.String)
    with transaction() as session:
        session.execute(
            sa.update(OutboxMessage)
            .where(OutboxMessage.kind == "transfer")
            .values(state="done", provider_id=sent)
        )
    with transaction():
        arriving.record_results(by=JOB, at=at_noon(AFTER))
    order_id = db.session.scalar(
        sa.text("SELECT order_id FROM grants WHERE canteen_id = :id AND till_fen > 0"),
        {"id": city.elsewhere.id},
    )
    with transaction():
        manager = city.cashier_elsewhere.__class__(
            role="manager", user_id=city.manager.user_id, canteen_id=city.elsewhere.id
        )
        cancel(order_id, "mistake", "", manager, at_noon(AFTER))
    close("2026-11", on=date(2026, 12, 1))
    november = statement_of(city.elsewhere, "2026-11")
    pass_on([november.id], city.extra["hands_elsewhere"], on=date(2026, 12, 1))
    with transaction() as session:
        post_day(date(2026, 12, 1), JOB)
        session.flush()
    close("2026-12", on=date(2027, 1, 1))
    with transaction():
        on = date(2027, 1, 5)
        till = make_till(city.here.id)
        whole_shift(city, till, make_menu(city.here, on), at_noon(on))
        begin(city, till, at_noon(on, 13), number=2)
        post_day(on, JOB)
    with transaction():
        denied = db.session.scalar(
            sa.text(
                "SELECT MIN(order_id) FROM grants WHERE till_fen > 0 AND canteen_id = :id"
                " AND order_id NOT IN (SELECT order_id FROM grants WHERE number = 2)"
            ),
            {"id": city.here.id},
        )
        changing.take_back({denied: None}, "denied", JOB, at_noon(on), reason="吃饭的不是本人")


def sell_without_network(app: Flask, city: City) -> None:
    """Three meals of one elder today: within the caps, borne by the programme, by the canteen."""
    city.today = clock.business_date()
    with transaction():
        city.items = make_menu(city.here, city.today)
        ruling.set_rule(
            city.here.district_code, city.today, per_elder=3, per_till=60, excess="programme",
            limit_fen=300, by=JOB, today=city.today,
        )  # fmt: skip
    tablet = Tablet(city, app.test_client(), "二号机")
    tablet.open()
    for _ in range(3):
        tablet.sale()
    outcomes = tablet.send().get_json()["outcomes"]
    assert [one["bearer"] for one in outcomes] == [None, None, "programme", "canteen"]


@pytest.fixture
def healthy(app: Flask) -> City:
    city = little_month()
    settle_everything(city)
    sell_without_network(app, city)
    published({"layers.0.amount.fen": 400})
    return city


BY_CODE = {check.code: check for check in CHECKS}


def found() -> dict[str, list[str]]:
    """What verification finds, by check."""
    checks: dict[str, list[str]] = {}
    for finding in verify():
        assert finding.message.zh and finding.message.en
        checks.setdefault(finding.check, []).append(finding.subject)
    return checks


def test_a_healthy_city_has_nothing_to_find(healthy: City) -> None:
    assert {s.stage for s in db.session.scalars(sa.select(Statement))} == {
        "paid", "carried", "operator",
    }
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Payout)) == 3
    assert db.session.scalar(sa.select(sa.func.count()).select_from(AuditRecord)) > 10
    assert found() == {}


def test_an_empty_service_has_nothing_to_find(app: Flask) -> None:
    assert found() == {}


SOME_ORDER = "(SELECT MIN(order_id) FROM grants WHERE till_fen > 0)"
# One fault for every check: what is done to the database, and which checks must see it.
FAULTS: dict[str, tuple[str, str]] = {
    "a posting altered": (
        "entries_balance",
        "UPDATE postings SET amount_fen = amount_fen + 1 WHERE amount_fen ="
        " (SELECT MAX(amount_fen) FROM postings)",
    ),
    "a day's entry removed": (
        "tills_in_books",
        "DELETE FROM postings WHERE entry_id = (SELECT MIN(id) FROM entries WHERE kind = 'day')",
    ),
    "an order booked that the books do not know": (
        "tills_in_books",
        "UPDATE orders SET payable_fen = payable_fen + 100, list_fen = list_fen + 100"
        " WHERE id = (SELECT MIN(id) FROM orders WHERE payment = 'cash' AND booked_in IS NOT NULL)",
    ),
    "a closing entry removed": (
        "statements_in_books",
        "DELETE FROM postings WHERE entry_id ="
        " (SELECT MIN(id) FROM entries WHERE kind = 'closing')",
    ),
    "a denial's entry removed": (
        "denials_in_books",
        "DELETE FROM postings WHERE entry_id = (SELECT MIN(id) FROM entries WHERE kind = 'denial')",
    ),
    "a row that answers nothing": (
        "grants_match_orders", "UPDATE grants SET number = 4 WHERE cause = 'denied'",
    ),
    "a denial of another amount": (
        "grants_match_orders", "UPDATE grants SET till_fen = -1 WHERE cause = 'denied'",
    ),
    "a payout's entry removed": (
        "payouts_in_books",
        "DELETE FROM postings WHERE entry_id = (SELECT MIN(id) FROM entries WHERE kind = 'payout')",
    ),
    "the parts of an order changed": (
        "parts_sum", "UPDATE orders SET payable_fen = payable_fen - 1 WHERE id = 1",
    ),
    "a dish's price on an order changed": (
        "lines_sum", "UPDATE order_lines SET unit_fen = unit_fen + 1 WHERE order_id = 1",
    ),
    "an order's dishes removed": ("lines_sum", "DELETE FROM order_lines WHERE order_id = 1"),
    "a subsidy in an order without its grant": (
        "grants_match_orders",
        "UPDATE orders SET subsidy_fen = 300, payable_fen = payable_fen - 300"
        " WHERE id = (SELECT MIN(id) FROM orders WHERE subsidy_fen = 0 AND payable_fen >= 300)",
    ),
    "a grant of another amount": (
        "grants_match_orders", f"UPDATE grants SET till_fen = 1 WHERE order_id = {SOME_ORDER}",
    ),
    "a grant of another elder": (
        "grants_match_orders",
        "UPDATE grants SET elder_id = (SELECT MAX(id) FROM elders) WHERE elder_id ="
        " (SELECT MIN(id) FROM elders)",
    ),
    "a cancelled order that kept its grant": (
        "grants_match_orders", "DELETE FROM grants WHERE sign = -1",
    ),
    "an order back from the cancelled": (
        "grants_match_orders",
        "UPDATE orders SET state = 'served' WHERE id IN"
        " (SELECT order_id FROM grants WHERE sign = -1)",
    ),
    "a price no policy gives": (
        "priced_by_policy",
        "UPDATE orders SET subsidy_fen = subsidy_fen + 100, payable_fen = payable_fen - 100"
        f" WHERE id = {SOME_ORDER}",
    ),
    "an online order marked paid": (
        "charges_match_orders",
        "UPDATE charges SET state = 'pending' WHERE id = (SELECT MIN(id) FROM charges)",
    ),
    "a refund larger than the charge": (
        "charges_match_orders", "UPDATE refunds SET amount_fen = amount_fen + 1",
    ),
    "a cancelled order without a refund": ("charges_match_orders", "DELETE FROM refunds"),
    "a cancellation removed": (
        "cancellations_match",
        "DELETE FROM cancellations WHERE order_id = (SELECT MIN(order_id) FROM cancellations)",
    ),
    "a cancellation that gave back too much": (
        "refunds_match", "UPDATE cancellations SET refund_fen = refund_fen + 1",
    ),
    "portions taken twice": (
        "portions_match", "UPDATE menu_items SET taken = taken + 1 WHERE id = 1",
    ),
    "a menu oversold": (
        "portions_match", "UPDATE menu_items SET portions = 0 WHERE id = 1",
    ),
    "a second meal of a day": (
        "within_caps", "UPDATE grants SET \"on\" = '2026-10-02' WHERE \"on\" = '2026-10-03'",
    ),
    "a sixth meal of a week": (
        "within_caps",
        "UPDATE grants SET \"on\" = {six_days_before} WHERE \"on\" IN ('2026-10-05', '2026-10-06')",
    ),
    "a counter set back": (
        "counters_match", "UPDATE quota_uses SET used = 0 WHERE period_code = 'week'",
    ),
    "a counter of nobody's meals": (
        "counters_match",
        "INSERT INTO quota_uses (elder_id, period_code, starts_on, used)"
        " SELECT MIN(id), 'day', '2026-10-30', 1 FROM elders",
    ),
    "a statement larger than its meals": (
        "settled_once",
        "UPDATE statements SET elder_fen = elder_fen + 300, total_fen = total_fen + 300"
        " WHERE id = (SELECT MIN(id) FROM statements)",
    ),
    "a statement missing": (
        "settled_once", "UPDATE statements SET period = '2027-01' WHERE payee = 'elder'",
    ),
    "a grant moved to a closed month": (
        "settled_once", "UPDATE grants SET period = '2026-10' WHERE sign = -1",
    ),
    "a grant in a month nobody opened": (
        "settled_once", "UPDATE grants SET period = '2031-01' WHERE sign = -1",
    ),
    "online money settled twice": (
        "settled_once", "UPDATE charges SET period = '2026-11' WHERE period = '2026-10'",
    ),
    "a funder's line changed": (
        "lines_sum_to_statements",
        "UPDATE statement_lines SET amount_fen = amount_fen + 1 WHERE statement_id ="
        " (SELECT MIN(statement_id) FROM statement_lines) AND funder = 'city'",
    ),
    "a remainder forgotten": (
        "carried_once", "UPDATE statements SET carried_into_id = NULL WHERE stage = 'carried'",
    ),
    "an office left out": (
        "approved_by_chain", "DELETE FROM statement_steps WHERE stage = 'district'",
    ),
    "one hand at two stages": (
        "approved_by_chain",
        "UPDATE statement_steps SET by_label = 'user:99' WHERE stage IN ('street', 'city')",
    ),
    "a payment approved by who raised it": (
        "approved_by_chain",
        "INSERT INTO statement_amendments (statement_id, cause, reason, meals, elder_fen,"
        " account_fen, enterprise_fen, delivery_fen, deducted_fen, total_before_fen,"
        " total_after_fen, lines, by_label, at) SELECT statement_id, 'released', '', 1, 300, 0, 0,"
        " 0, 0, 0, 300, '[]', by_label, at FROM statement_steps WHERE stage = 'city'",
    ),
    "a stage set by hand": (
        "approved_by_chain", "UPDATE statements SET stage = 'paid' WHERE stage = 'operator'",
    ),
    "silence the rule does not know": (
        "approved_by_chain",
        "UPDATE statement_steps SET verdict = 'consented' WHERE verdict = 'confirmed'",
    ),
    "another meal in the sample": (
        "sample_as_drawn",
        "DELETE FROM sampled_meals WHERE order_id = (SELECT MIN(order_id) FROM sampled_meals)",
    ),
    "a seed chosen by hand": (
        "sample_as_drawn",
        "UPDATE sample_draws SET seed = '0' || SUBSTR(seed, 2, 62) || 'x' WHERE"
        " district_code = '120104'",
    ),
    "a sample nobody looked at": (
        "looked_at_before_approval",
        "UPDATE sampled_meals SET verdict = NULL, looked_at = NULL",
    ),
    "a wrong meal that is paid": (
        "looked_at_before_approval",
        "UPDATE sampled_meals SET verdict = 'wrong' WHERE order_id = (SELECT MIN(order_id) FROM"
        " sampled_meals WHERE order_id NOT IN (SELECT order_id FROM grants WHERE sign < 0))",
    ),
    "a deduction no rule knows": (
        "looked_at_before_approval",
        "UPDATE statements SET deducted_fen = -1 WHERE id = (SELECT MIN(id) FROM statements)",
    ),
    "a deduction nobody made": (
        "deductions_told",
        "UPDATE statements SET deducted_fen = -1, total_fen = total_fen - 1 WHERE id ="
        " (SELECT MIN(id) FROM statements)",
    ),
    "a line that went on unanswered": (
        "lines_put_right",
        "INSERT INTO corrections (statement_id, order_id, state, what, asked_by, asked_at, answer,"
        f" before, after) SELECT 1, {SOME_ORDER}, 'asked', '', '', placed_at, '', '{{}}', '{{}}'"
        f" FROM orders WHERE id = {SOME_ORDER}",
    ),
    "an answer without its money": (
        "lines_put_right",
        "INSERT INTO corrections (statement_id, order_id, state, what, asked_by, asked_at, act,"
        f" answer, before, after) SELECT 1, {SOME_ORDER}, 'closed', '', '', placed_at, 'withdraw',"
        f" '', '{{}}', '{{}}' FROM orders WHERE id = {SOME_ORDER}",
    ),
    "an objection upheld for nothing": (
        "lines_put_right",
        "INSERT INTO appeals (order_id, grant_id, canteen_id, state, reason, filed_by, filed_at,"
        " decision, decided_by, decided_at, returned_fen) SELECT order_id, id, canteen_id,"
        " 'upheld', '', 'user:1', made_at, '', 'user:2', made_at, 0 FROM grants"
        " WHERE cause = 'denied'",
    ),
    "a payout of another amount": (
        "payouts_match_approvals",
        "UPDATE payouts SET amount_fen = amount_fen + 1 WHERE id = (SELECT MIN(id) FROM payouts)",
    ),
    "a payout of nothing approved": (
        "payouts_match_approvals",
        "UPDATE statements SET stage = 'city' WHERE id = (SELECT MIN(id) FROM statements)",
    ),
    "a payout released by its maker": (
        "payouts_by_two", "UPDATE payout_batches SET released_by = made_by",
    ),
    "a payout in no batch": (
        "payouts_by_two", "UPDATE payouts SET batch_id = NULL, made_at = '2026-01-01'",
    ),
    "a payout to another account": (
        "payouts_by_two",
        "UPDATE payouts SET account = 'acct_thief' WHERE id = (SELECT MIN(id) FROM payouts)",
    ),
    "a line of a batch altered": (
        "batches_add_up",
        "UPDATE payout_lines SET account = 'acct_thief' WHERE id ="
        " (SELECT MIN(id) FROM payout_lines)",
    ),
    "a line of a batch removed": (
        "batches_add_up",
        "DELETE FROM payout_lines WHERE id = (SELECT MIN(id) FROM payout_lines)",
    ),
    "a payout paid a second time": (
        "sent_as_released",
        "UPDATE payout_lines SET payout_id = (SELECT MIN(payout_id) FROM payout_lines)"
        " WHERE id = (SELECT MAX(id) FROM payout_lines)",
    ),
    "a transfer of nothing approved": (
        "sent_as_released", "UPDATE outbox SET reference = 'payout:999' WHERE kind = 'transfer'",
    ),
    "a transfer that still waits": (
        "sent_as_released",
        "UPDATE outbox SET state = 'waiting' WHERE id ="
        " (SELECT MIN(id) FROM outbox WHERE kind = 'transfer')",
    ),
    "a payout sent to another account": (
        "sent_as_released",
        "UPDATE payouts SET account = 'acct_thief' WHERE id = (SELECT MIN(id) FROM payouts)",
    ),
    "a statement of another operator": (
        "payees_as_they_are",
        "UPDATE statements SET operator_id = (SELECT MAX(id) FROM operators) WHERE operator_id ="
        " (SELECT MIN(id) FROM operators)",
    ),
    "an account put in place of the payee's": (
        "payees_as_they_are", "UPDATE operators SET payout_account = 'acct_thief'",
    ),
    "a step by somebody the trail does not name": (
        "steps_in_trail",
        "UPDATE statement_steps SET by_label = 'user:99' WHERE stage = 'district'",
    ),
    "an approval nobody recorded": (
        "steps_in_trail",
        "DELETE FROM audit_records WHERE subject = 'statement' AND act = 'approved'",
    ),
    "a batch made by somebody else": (
        "batches_in_trail", "UPDATE payout_batches SET made_by = 'user:77'",
    ),
    "a release nobody recorded": (
        "batches_in_trail", "DELETE FROM audit_records WHERE act = 'release_batch'",
    ),
    "an account change nobody asked for": (
        "accounts_in_trail",
        "INSERT INTO bank_changes (operator_id, old_account, new_account, reason, state, asked_by,"
        " asked_at, not_before, decision) SELECT MIN(id), '', 'acct_thief', '', 'waiting',"
        " 'user:1', '2026-01-01', '2026-01-01', '' FROM operators",
    ),
    "money of a purse nobody set aside": (
        "settings_in_trail",
        "INSERT INTO funds (territory_code, year, amount_fen, note, set_by, set_at) VALUES"
        " ('120104', 2026, 5, '', 'user:1', '2026-01-01')",
    ),
    "a check made milder by nobody": (
        "settings_in_trail",
        "INSERT INTO check_settings (district_code, code, mode, thresholds, from_on, set_by,"
        " set_at) VALUES ('120104', 'burst', 'ignore', '{}', '2026-01-01', 'user:1',"
        " '2026-01-01')",
    ),
    "a finding decided past its story": (
        "findings_by_steps",
        "INSERT INTO suspicions (code, period, canteen_id, key, amount_fen, evidence, mode, state,"
        " found_at, decided_at, reason, false_alarm) SELECT 'deceased', '2026-10', MIN(id), 'x',"
        " 0, '{}', 'hold', 'paid', '2026-11-02', '2026-11-02', '', false FROM canteens",
    ),
    "a meal held for nobody": (
        "held_for_a_decision", "UPDATE grants SET cause = 'held' WHERE cause = 'denied'",
    ),
    "shares of funders altered": (
        "fundings_whole",
        "UPDATE funding_shares SET amount_fen = amount_fen + 10 WHERE funder = 'city'",
    ),
    "an account changed by one person": (
        "accounts_by_two",
        "INSERT INTO bank_changes (operator_id, old_account, new_account, reason, state, asked_by,"
        " asked_at, not_before, decided_by, decided_at, decision) SELECT MIN(id), '',"
        " MIN(payout_account), '', 'confirmed', 'user:1', '2026-01-01', '2026-01-01', 'user:1',"
        " '2026-01-05', '' FROM operators",
    ),
    "an account nobody confirmed": (
        "accounts_by_two",
        "INSERT INTO bank_changes (operator_id, old_account, new_account, reason, state, asked_by,"
        " asked_at, not_before, decided_by, decided_at, decision) SELECT MIN(id), '',"
        " 'acct_agreed', '', 'confirmed', 'user:1', '2026-01-01', '2026-01-01', 'user:2',"
        " '2026-01-05', '' FROM operators",
    ),
    "another sum sent": (
        "sent_as_released",
        "UPDATE outbox SET payload = '{\"amount_fen\": 1}' WHERE kind = 'transfer'",
    ),
    "a sale of a shift whose cash changed": (
        "shifts_add_up",
        "UPDATE orders SET cash_fen = cash_fen - 1 WHERE id ="
        " (SELECT MIN(order_id) FROM till_entries WHERE kind = 'sale')",
    ),
    "a refund in cash removed from a drawer": (
        "shifts_add_up", "DELETE FROM cash_moves WHERE kind = 'refunded'",
    ),
    "a drawer expected less": (
        "shifts_add_up",
        "UPDATE shifts SET expected_fen = expected_fen - 100 WHERE closed_at IS NOT NULL",
    ),
    "a count that does not sum": (
        "shifts_add_up", "UPDATE shifts SET count = '{\"100\": 3}' WHERE closed_at IS NOT NULL",
    ),
    "a difference hidden": (
        "shifts_add_up", "UPDATE shifts SET over_fen = 0 WHERE closed_at IS NOT NULL",
    ),
    "a sum put in that nobody signed": (
        "shifts_match_journal", "UPDATE cash_moves SET fen = fen + 1 WHERE kind = 'paid_in'",
    ),
    "a float nobody signed": (
        "shifts_match_journal", "UPDATE shifts SET float_fen = 1 WHERE closed_at IS NULL",
    ),
    "a count nobody signed": (
        "shifts_match_journal",
        "UPDATE shifts SET counted_fen = counted_fen + 1 WHERE closed_at IS NOT NULL",
    ),
    "a purchase that became the safe's": (
        "shifts_in_books",
        "UPDATE cash_moves SET reason_code = 'to_safe' WHERE reason_code = 'purchase'",
    ),
    "a shift's entry removed": (
        "shifts_in_books",
        "DELETE FROM postings WHERE entry_id = (SELECT MIN(id) FROM entries WHERE kind = 'shift')",
    ),
    "an entry of a shift that never was": (
        "shifts_in_books", "UPDATE entries SET key = 'shift:999' WHERE kind = 'shift'",
    ),
    "an entry of a journal altered": (
        "till_chains", "UPDATE till_entries SET body = body || ' ' WHERE number = 2",
    ),
    "an entry of a journal removed": (
        "till_chains", "DELETE FROM till_entries WHERE number = 2",
    ),
    "the end of a journal cut off": (
        "till_chains",
        "DELETE FROM till_entries WHERE number = (SELECT MAX(number) FROM till_entries)",
    ),
    "a journal gone": ("till_chains", "DELETE FROM till_entries WHERE till_id = 2"),
    "a sale that lost its order": (
        "till_sales",
        "UPDATE till_entries SET order_id = NULL WHERE number = 4 AND kind = 'sale'",
    ),
    "two sales that are one order": (
        "till_sales",
        "UPDATE till_entries SET order_id = (SELECT MAX(order_id) FROM till_entries)"
        " WHERE till_id = 2 AND kind = 'sale'",
    ),
    "a sum that was not signed": (
        "till_sales",
        "UPDATE orders SET payable_fen = payable_fen + 100, list_fen = list_fen + 100"
        " WHERE id = (SELECT MAX(order_id) FROM till_entries)",
    ),
    "a dish that was not signed": (
        "till_sales",
        "UPDATE order_lines SET quantity = 2"
        " WHERE order_id = (SELECT MAX(order_id) FROM till_entries)",
    ),
    "a void that took nothing back": (
        "till_sales",
        "UPDATE orders SET state = 'served' WHERE id ="
        " (SELECT order_id FROM till_entries WHERE kind = 'void')",
    ),
    "an excess of a sale on line": (
        "till_excess", "UPDATE orders SET excess_fen = 1 WHERE id = 1",
    ),
    "an excess that hides more": (
        "till_excess", "UPDATE orders SET excess_fen = excess_fen + 1 WHERE excess_fen > 0",
    ),
    "a limit that was passed": (
        "till_limits", "UPDATE offline_rules SET limit_fen = 299",
    ),
    "a meal beyond the caps that was sold on line": (
        "till_limits", "UPDATE till_entries SET kept = false WHERE till_id = 2",
    ),
    "an alarm nobody has looked at": (
        "till_alarms", "UPDATE tills SET alarm = 'unsigned' WHERE id = 2",
    ),
    "entries that never arrived": (
        "till_alarms", "UPDATE tills SET claimed = claimed + 3 WHERE id = 2",
    ),
    "a policy's text altered": (
        "policies_whole", "UPDATE policy_versions SET digest = 'other' WHERE id = 1",
    ),
    "a draft published by its writer": (
        "drafts_published", "UPDATE policy_drafts SET published_by = NULL",
    ),
    "a draft that became another policy": (
        "drafts_published",
        "UPDATE policy_drafts SET policy_id = (SELECT MIN(id) FROM policy_versions)",
    ),
    "a meal changed by a late fact nobody names": (
        "late_facts_have_their_fact",
        "UPDATE grants SET cause = 'late_fact' WHERE number = 1 AND order_id ="
        " (SELECT MIN(order_id) FROM grants)",
    ),
    "a meal granted by a claim nobody made": (
        "claims_have_their_grant",
        "UPDATE grants SET cause = 'claim' WHERE number = 1 AND order_id ="
        " (SELECT MIN(order_id) FROM grants)",
    ),
    "paid back without a record of it": (
        "repayments_match",
        "UPDATE statements SET stage = 'repaid' WHERE id = (SELECT MIN(id) FROM statements)",
    ),
    "a city that owes more than was paid for it": (
        "city_shares_in_books",
        "UPDATE postings SET amount_fen = amount_fen + 1 WHERE account_id IN"
        " (SELECT id FROM accounts WHERE code = 'due_from_city')",
    ),
    "something to be paid that no statement owes": (
        "payables_in_books",
        "UPDATE postings SET amount_fen = amount_fen + 1 WHERE account_id ="
        " (SELECT MIN(id) FROM accounts WHERE code = 'statements_payable')",
    ),
    "a true-up nobody confirmed": (
        "true_ups_in_books",
        "INSERT INTO true_ups (year, district_code, kind, state, share_fen, paid_before_fen,"
        " balance_fen, sums, targets, note, prepared_by, prepared_at) VALUES (2026, '120104',"
        " 'final', 'confirmed', 5, 0, 5, '[]', '[]', '', 'user:1', '2027-01-01 00:00:00')",
    ),
    "an audit record altered": (
        "audit_chain", "UPDATE audit_records SET actor = 'user:1' WHERE id = 2",
    ),
    "an audit record removed": ("audit_chain", "DELETE FROM audit_records WHERE id = 2"),
    "an ID number that does not open": (
        "id_numbers", "UPDATE elders SET ric_last4 = '0000', ric_hash = 'other' WHERE id = 1",
    ),
    "a birth date made older": (
        "id_numbers", "UPDATE elders SET birth_date = '1930-01-01' WHERE id = 1",
    ),
}


def test_each_planted_fault_is_found(healthy: City, subtests: pytest.Subtests) -> None:
    before = "\"on\" - 6" if is_postgresql() else "date(\"on\", '-6 days')"
    for fault, (check, statement) in FAULTS.items():
        with subtests.test(fault), planted(statement.replace("{six_days_before}", before)):
            assert examine(BY_CODE[check]).findings
    assert found() == {}


def test_what_a_check_cannot_read_is_its_finding_and_the_others_go_on(healthy: City) -> None:
    with planted("UPDATE sample_draws SET seed = 'abcd'"):
        assert set(found()) == {"sample_as_drawn"}
    unread = "UPDATE outbox SET payload = '{\"amount_fen\": \"many\"}' WHERE kind = 'transfer'"
    with planted(unread):
        (said,) = examine(BY_CODE["sent_as_released"]).findings
        assert "ValueError" in said.message.en and "没有做完" in said.message.zh
        assert set(found()) == {"sent_as_released"}


def test_every_check_has_a_fault_it_was_seen_to_find() -> None:
    assert {check for check, _ in FAULTS.values()} == {check.code for check in CHECKS}
