"""The gates a meal must pass before anything is paid, each judged alone."""

from __future__ import annotations

from canteen.subsidies.amounts import Meal
from canteen.subsidies.cases import Step
from canteen.subsidies.explaining import SERVICES, listed, step
from canteen.subsidies.parts import (
    Gate,
    GateAboveSubsidy,
    GateAtSetPrice,
    GateServices,
    GateSpend,
    GateTiers,
)


def gate_refusal(gate: Gate, meal: Meal, set_fen: int | None, full_fen: int) -> Step | None:
    """Why a gate stays shut for a meal; None when it opens.

    `set_fen` is the district's standard set on that day, `full_fen` the subsidy before it is
    held to what is left to pay. The set price is judged on the list price unless the policy says
    otherwise; spends are judged after the canteen's own discount.
    """
    case, spend = meal.case, meal.spend_fen
    if isinstance(gate, GateAtSetPrice):
        judged = case.list_fen if gate.judged_on == "list" else spend
        if set_fen is not None and judged < set_fen:
            return step("price_below_standard_set", {"fen": judged, "least_fen": set_fen})
    elif isinstance(gate, GateSpend):
        if spend < gate.fen:
            return step("spend_below_threshold", {"fen": spend, "least_fen": gate.fen})
    elif isinstance(gate, GateAboveSubsidy):
        if spend <= full_fen:
            return step("spend_not_above_subsidy", {"fen": spend, "least_fen": full_fen})
    elif isinstance(gate, GateServices):
        if case.service not in gate.services:
            allowed = listed([SERVICES[each] for each in gate.services])
            return step(
                "service_not_covered",
                {"service": case.service},
                service=SERVICES[case.service],
                allowed=allowed,
            )
    elif isinstance(gate, GateTiers) and case.tier not in gate.tiers:
        return step("tier_not_covered", {"tier": case.tier})
    return None
