"""What a route's parameters stand for: how the walk over every route fills them."""

from __future__ import annotations

from datetime import date

from tests.web.world import World

# What no role has a stranger of, because it lies open to them: any till serves any elder, anybody
# may order at any canteen that sells, and policies are published.
OPEN_TO: dict[str, tuple[str, ...]] = {
    "elder_id": ("cashier", "manager"),
    "card_number": ("cashier", "manager"),
    "canteen_id": ("elder", "family"),
    "menu_id": ("elder", "family"),
    "item_id": ("elder", "family"),
    "dish_id": ("elder", "family"),
    "inspection_id": ("elder", "family"),
    "judgement_id": ("elder", "family"),
    "licence_id": ("elder", "family"),
    "policy_id": ("street", "district", "city", "evaluator", "operator"),
}
# What these roles never reach, their own ground's included.
CLOSED_TO: dict[str, tuple[str, ...]] = {
    "statement_id": ("cashier", "evaluator", "elder", "family"),
    "payout_id": ("cashier", "evaluator", "elder", "family"),
    "operator_id": ("cashier", "manager", "elder", "family"),
    "elder_id": ("operator", "evaluator"),
    "card_number": ("operator", "evaluator"),
    "territory_code": ("cashier", "manager", "elder", "family", "operator"),
    "fact_id": ("cashier", "manager", "operator", "evaluator"),
    "policy_id": ("cashier", "manager", "elder", "family", "operator"),
    "correction_id": ("cashier", "evaluator", "elder", "family"),
    "appeal_id": ("cashier", "evaluator", "elder", "family"),
    "till_id": ("evaluator", "elder", "family"),
    "suspicion_id": ("cashier", "elder", "family"),
    "batch_id": (
        "street", "district", "evaluator", "operator", "cashier", "manager", "elder", "family"
    ),
    "return_id": (
        "street", "district", "evaluator", "operator", "cashier", "manager", "elder", "family"
    ),
    "change_id": ("cashier", "manager", "evaluator", "elder", "family"),
    "claim_id": ("cashier", "manager", "evaluator", "operator"),
    "true_up_id": (
        "street", "evaluator", "operator", "cashier", "manager", "elder", "family"
    ),
    "draft_id": (
        "street", "evaluator", "operator", "cashier", "manager", "elder", "family"
    ),
    "shift_id": ("street", "district", "city", "evaluator", "operator", "elder", "family"),
}
NOBODYS = 4_000_000_000
TERRITORIES = {"street": "120104001", "district": "120104", "evaluator": "120104", "city": "120000"}
STRANGE_TERRITORIES = {
    "street": "120104002", "district": "120103", "evaluator": "120103", "city": "310101",
}


def free(name: str, today: date) -> object | None:
    """A value for a parameter that names no thing of anybody's."""
    return {
        "on": today.isoformat(), "meal": "lunch", "period": "2026-10", "year": 2026,
        "language": "en", "filename": "icon.svg", "kind": "csv", "stage": "street",
        "till": 1, "number": 1, "code": "00000000",
    }.get(name)


def own(world: World, role: str, name: str) -> object | None:
    """A value this role reaches; None when there is none for it."""
    if role in CLOSED_TO.get(name, ()):
        return None
    if name == "territory_code":
        return TERRITORIES.get(role)
    if name == "task_id":
        return world.tasks[role]
    if name == "result_id":
        return world.results.get(role)
    if name == "policy_id":
        return 1
    return world.own.named.get(name, free(name, world.today))


def foreign(world: World, role: str, name: str) -> object | None:
    """A thing that exists but not for this role; None when every one of the kind is open to it."""
    if role in OPEN_TO.get(name, ()) or free(name, world.today) is not None:
        return None
    if name == "territory_code":
        return STRANGE_TERRITORIES.get(role, "120103")
    if name == "task_id":
        return world.tasks["elder" if role == "family" else "family"]
    if name == "result_id":
        return world.results["district" if role == "city" else "city"]
    stranger = world.stranger(role)
    return stranger.named.get(name) if stranger else None


def known(world: World, name: str) -> bool:
    """Whether the walk knows what a parameter stands for."""
    return (
        name in world.own.named
        or name in ("policy_id", "task_id", "result_id")
        or free(name, world.today) is not None
    )
