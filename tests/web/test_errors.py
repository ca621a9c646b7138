"""Every no and every fault answers in one shape, in the reader's language, and saves nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import marshmallow as ma
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import fields, validate
from sqlalchemy.exc import IntegrityError, OperationalError

from canteen import create_app
from canteen.db import db, transaction
from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.payments.gateway import ProviderDown
from canteen.territory.models import Territory
from canteen.web.guards import public
from canteen.web.schemas.words import first_complaint, in_both
from canteen.words import Text


def client_that(app: Flask, act: Callable[[], Any]) -> FlaskClient:
    """A client of an application in which /api/act and /act do this."""
    other = create_app(app.config["SETTINGS"])
    for rule in ("/api/act", "/act"):
        other.add_url_rule(rule, rule, public()(lambda: act()))
    return other.test_client()


def raising(fault: Exception) -> Callable[[], Any]:
    """An act that fails."""

    def act() -> Any:
        raise fault

    return act


@pytest.mark.parametrize(
    ("kind", "status"), [(NotFound, 404), (Forbidden, 403), (Refused, 422), (Conflict, 409)]
)
def test_the_four_kinds_of_no(app: Flask, kind: type, status: int) -> None:
    refusal = kind(Text("不行", "No"), code="why", field="meal", row=7, left=3)
    response = client_that(app, raising(refusal)).get("/api/act")
    assert response.status_code == status
    assert response.json == {
        "error": {
            "code": "why", "message": "不行", "messages": {"zh": "不行", "en": "No"},
            "field": "meal", "row": 7, "detail": {"left": 3}, "reference": None,
        }
    }


def test_a_program_is_answered_in_the_language_it_accepts(app: Flask) -> None:
    client = client_that(app, raising(Refused(Text("不行", "No"))))
    english = client.get("/api/act", headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert english.json["error"]["message"] == "No"
    assert client.get("/api/act", headers={"Accept-Language": "fr"}).json["error"][
        "message"
    ] == "不行"


def test_a_reader_is_answered_with_a_page_in_their_language(app: Flask) -> None:
    client = client_that(app, raising(Refused(Text("今天已用过补贴", "Used today"))))
    assert "今天已用过补贴" in client.get("/act").get_data(as_text=True)
    client.set_cookie("lang", "en")
    page = client.get("/act")
    assert page.status_code == 422 and "Used today" in page.get_data(as_text=True)


def test_what_a_refusal_carries_is_plain_json(app: Flask) -> None:
    refusal = Refused(what=Text("甲", "A"), days=[Text("乙", "B")])
    detail = client_that(app, raising(refusal)).get("/api/act").json["error"]["detail"]
    assert detail == {"what": {"zh": "甲", "en": "A"}, "days": [{"zh": "乙", "en": "B"}]}


def test_a_bug_is_a_number_to_tell_and_saves_nothing(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    def act() -> None:
        with transaction():
            db.session.add(
                Territory(code="990000", level="city", name_zh="虚城", name_en="Nowhere")
            )
            db.session.flush()
            raise KeyError("a bug")

    response = client_that(app, act).get("/api/act")
    assert response.status_code == 500
    error = response.json["error"]
    assert error["code"] == "internal" and len(error["reference"]) >= 8
    assert error["reference"] in error["messages"]["zh"]
    assert "a bug" not in response.get_data(as_text=True)
    assert db.session.get(Territory, "990000") is None


def test_the_number_of_a_bug_is_on_the_page_too(app: Flask) -> None:
    page = client_that(app, raising(ValueError("inner secret"))).get("/act")
    text = page.get_data(as_text=True)
    assert page.status_code == 500 and "inner secret" not in text and "编号" in text


def test_values_of_a_failed_statement_stay_out_of_the_log(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    number = "129901" + "194005010011"  # in pieces: a traceback shows the lines of its source

    def act() -> None:
        try:
            insert = sa.text("INSERT INTO nowhere VALUES (:number)")
            db.session.execute(insert, {"number": number})
        except sa.exc.SQLAlchemyError as fault:
            raise RuntimeError("wrapped") from fault

    client = client_that(app, act)
    assert client.get("/api/act").status_code == 500
    logged = capsys.readouterr().err
    assert "nowhere" in logged and number not in logged


@pytest.mark.parametrize("path", ["/api/act", "/act"])
def test_a_database_that_is_locked_or_gone_is_a_clear_503(app: Flask, path: str) -> None:
    locked = OperationalError("UPDATE orders", {}, Exception("database is locked"))
    response = client_that(app, raising(locked)).get(path)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "没有保存任何内容" in response.get_data(as_text=True)


def test_a_broken_rule_of_the_database_is_a_bug_not_an_outage(app: Flask) -> None:
    broken = IntegrityError("INSERT", {}, Exception("CHECK"))
    assert client_that(app, raising(broken)).get("/api/act").status_code == 500


def test_a_provider_that_is_silent_is_a_503(app: Flask) -> None:
    response = client_that(app, raising(ProviderDown("no answer"))).get("/api/act")
    assert (response.status_code, response.json["error"]["code"]) == (503, "provider_unavailable")


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    response = client.delete("/api/v1/orders")
    assert response.status_code == 405
    assert {"GET", "POST"} <= {name.strip() for name in response.headers["Allow"].split(",")}
    assert response.json["error"]["code"] == "method_not_allowed"


def test_an_unknown_address_is_a_page_for_readers_and_json_for_programs(
    client: FlaskClient,
) -> None:
    assert client.get("/api/v1/nothing").json["error"]["code"] == "not_found"
    assert client.get("/nothing").mimetype == "text/html"
    by_script = client.get("/nothing", headers={"Accept": "application/json"})
    assert by_script.json["error"]["code"] == "not_found"


def complaints(field: fields.Field, value: Any) -> Text:
    """What a field says to a value."""
    try:
        ma.Schema.from_dict({"it": field})().load({"it": value})
    except ma.ValidationError as wrong:
        return first_complaint({"json": wrong.messages})[1]
    raise AssertionError("it was accepted")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (fields.Integer(strict=True), "x"), (fields.Integer(strict=True), 1.5),
        (fields.String(), 1), (fields.Boolean(), "maybe"), (fields.Date(), "2026-02-30"),
        (fields.List(fields.Integer()), "x"), (fields.Nested(ma.Schema()), 1),
        (fields.Integer(), None), (fields.Dict(), 3),
        (fields.Integer(validate=validate.Range(min=1, max=5)), 9),
        (fields.Integer(validate=validate.Range(min=1)), 0),
        (fields.Integer(validate=validate.Range(max=5)), 9),
        (fields.String(validate=validate.Length(min=2, max=5)), "x"),
        (fields.String(validate=validate.Length(min=2)), "x"),
        (fields.String(validate=validate.Length(max=2)), "xxx"),
        (fields.String(validate=validate.OneOf(["a", "b"])), "c"),
        (fields.String(validate=validate.Regexp("a+")), "c"),
    ],
)  # fmt: skip
def test_every_complaint_of_a_schema_is_said_in_both_languages(
    field: fields.Field, value: Any
) -> None:
    said = complaints(field, value)
    assert said.zh != said.en
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said.zh), said
    assert said.en.startswith("it: ")


def test_a_complaint_names_the_field_however_deep() -> None:
    field, text = first_complaint({"json": {"lines": {0: {"quantity": ["Not a valid integer."]}}}})
    assert field == "lines.0.quantity"
    assert text == Text("lines.0.quantity:应为整数", "lines.0.quantity: Not a valid integer.")


def test_a_complaint_nobody_translated_is_kept_as_it_is() -> None:
    assert in_both("Something new.") == Text("Something new.", "Something new.")


def test_the_log_tells_the_rule_of_a_request_and_not_what_was_asked(
    app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = dataclasses.replace(app.config["SETTINGS"], log_level="INFO")
    client = create_app(settings).test_client()
    client.get("/api/v1/canteens/7/menus?on=2026-11-21")
    client.post("/sign-in", data={"login": "zhang", "password": "secret-word"})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    asked = [(line["method"], line["rule"], line["status"]) for line in lines]
    assert asked == [
        ("GET", "/api/v1/canteens/<int:canteen_id>/menus", 404), ("POST", "/sign-in", 422),
    ]
    assert not any(word in str(lines) for word in ("2026-11-21", "zhang", "secret-word"))
