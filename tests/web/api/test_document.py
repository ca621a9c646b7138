"""The OpenAPI document tells the truth: whatever is asked, only what it documents is answered."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.web.world import World, bearer

TRUE = (
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
)
EXAMPLES = int(os.environ.get("API_EXAMPLES", "6"))


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    return client.get("/api/v1/openapi.json").json


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every path, method and operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":
                yield path, method, operation


def test_it_is_openapi_3_1_and_has_every_route_of_the_api(
    app: Flask, document: dict[str, Any]
) -> None:
    assert document["openapi"] == "3.1.0"
    told = {(path, method) for path, method, _ in operations(document)}
    real = {
        (rule.rule.replace("<int:", "{").replace("<", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/") and not rule.rule.endswith("openapi.json")
    }
    assert told == real and len(told) > 20


def test_every_refusal_has_the_one_shape(document: dict[str, Any]) -> None:
    refusals = document["components"]["responses"]
    assert {
        answer["content"]["application/json"]["schema"]["$ref"] for answer in refusals.values()
    } == {"#/components/schemas/Refusal"}
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert "$ref" in answer, f"{method} {path} {status}"


def test_what_needs_a_sign_in_says_so(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        closed = "401" in operation["responses"]
        assert bool(operation.get("security")) == closed, f"{method} {path}"


def test_every_write_of_an_order_takes_a_key(document: dict[str, Any]) -> None:
    keyed = {
        path
        for path, _, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if parameter.get("name") == "Idempotency-Key"
    }
    assert {"/api/v1/orders", "/api/v1/orders/{order_id}/cancellation"} <= keyed


def wishes(operation: Any) -> st.SearchStrategy[schemathesis.Case]:
    """Well-formed wishes and malformed ones, where an operation can be asked wrongly at all."""
    kinds = [operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)]
    if operation.body or operation.query or operation.headers:
        kinds.append(operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))
    return st.one_of(kinds)


def brought_home(case: schemathesis.Case, world: World) -> schemathesis.Case:
    """The wish about things that exist, so that it comes further than "not found"."""
    named = world.own.named
    for name in case.path_parameters or {}:
        case.path_parameters[name] = named.get(name, 1)
    if isinstance(case.body, dict):
        case.body |= {
            name: named[name] if name in named else world.today.isoformat()
            for name in ("canteen_id", "elder_id", "on")
            if isinstance(case.body.get(name), int if name in named else str)
        }
        lines = case.body.get("lines")
        for line in lines if isinstance(lines, list) else []:
            if isinstance(line, dict) and isinstance(line.get("item_id"), int):
                line["item_id"] = named["item_id"]
    return case


@pytest.mark.slow
@pytest.mark.parametrize(
    "role", [None, "cashier", "elder", "operator", "street", "city", "evaluator"]
)
def test_no_5xx_and_no_undocumented_answer(app: Flask, world: World, role: str | None) -> None:
    """Wishes of every kind for every operation, by every role, answered as documented."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    headers = bearer(world.tokens[role]) if role else {}
    answered: Counter[int] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path.endswith("/tokens/current"):
            continue  # it would close the token the others are asked with

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )
        @given(case=wishes(operation))
        def ask(case: schemathesis.Case) -> None:
            response = brought_home(case, world).call(headers=headers)
            answered[response.status_code] += 1
            case.validate_response(response, checks=TRUE)

        ask()
    assert sum(answered.values()) > 20 * EXAMPLES / 2, "hardly anything was asked"
    assert answered[200] or answered[201], "nothing was ever answered well"


@pytest.fixture(params=["sqlite"])
def database_url(sqlite_url: str) -> str:
    """One database is enough: what is asked here never reaches far."""
    return sqlite_url
