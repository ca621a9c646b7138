"""Checks of findings: they stand where their steps led, and what is held waits for one."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from canteen.checks.models import Suspicion, SuspicionStep
from canteen.subsidies.models import Grant
from canteen.verifying.findings import Check, Found, stream
from canteen.words import Text

# Where a step leads; any other leaves the finding open.
LEADS_TO = {"cleared": "cleared", "ask": "asked", "pay": "paid", "deny": "denied"}


def findings_by_steps() -> Found:
    """Every finding stands where its last step led: nobody decided it past its story."""
    step = aliased(SuspicionStep)
    last = (
        sa.select(SuspicionStep.suspicion_id, sa.func.max(SuspicionStep.id).label("id"))
        .group_by(SuspicionStep.suspicion_id).subquery()
    )  # fmt: skip
    led = sa.case(LEADS_TO, value=step.verdict, else_="open")
    query = (
        sa.select(Suspicion.id, Suspicion.state, led.label("led"))
        .outerjoin(last, last.c.suspicion_id == Suspicion.id)
        .outerjoin(step, step.id == last.c.id)
        .where(Suspicion.state != led)
    )
    for row in stream(query):
        yield f"finding {row.id}", Text(
            "现为 {state}，但最后一步是到 {led}", "is {state}, its last step led to {led}"
        ).format(state=row.state, led=row.led)


def held_for_a_decision() -> Found:
    """What is held waits for somebody: a finding about it that holds and is not decided."""
    later = aliased(Grant)
    query = sa.select(Grant.order_id).where(
        Grant.cause == "held",
        ~sa.exists().where(later.order_id == Grant.order_id, later.number > Grant.number),
        ~sa.exists().where(
            Suspicion.order_id == Grant.order_id, Suspicion.mode == "hold",
            Suspicion.state.in_(("open", "asked")),
        ),
    )
    for row in stream(query):
        yield f"order {row.order_id}", Text(
            "仍暂扣，却没有待定的疑点", "is held though no finding about it waits for a decision"
        )


CHECKS = (
    Check("findings_by_steps", Text("疑点与其步骤一致", "Findings stand where their steps led"),
          findings_by_steps),
    Check("held_for_a_decision", Text("暂扣都有待定的疑点", "What is held waits for a decision"),
          held_for_a_decision),
)  # fmt: skip
