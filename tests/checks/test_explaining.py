"""What a finding says of itself, whatever became of its check since."""

from __future__ import annotations

from canteen.checks.catalogue import CHECKS
from canteen.checks.explaining import explain
from canteen.checks.models import Suspicion


def test_a_finding_made_before_its_check_was_changed_is_still_told() -> None:
    for check in CHECKS:
        old = Suspicion(code=check.code, canteen_id=1, key="x", evidence={})
        told = explain(old).sentence
        assert "{" not in told.zh + told.en


def test_a_finding_of_a_check_that_is_gone_is_named_by_its_code() -> None:
    gone = Suspicion(code="no_such_check", canteen_id=1, key="x", evidence={"meal_on": None})
    assert explain(gone).title.zh == "no_such_check"
