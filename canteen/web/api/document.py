"""The API's OpenAPI document, written from the views themselves, and how bodies are read."""

from __future__ import annotations

import http
import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_smorest import Api, Blueprint
from webargs.flaskparser import FlaskParser, abort
from werkzeug.exceptions import (
    HTTPException,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from canteen.web import errors
from canteen.web.guards import READING, declared, public
from canteen.web.once import HEADER, Answer
from canteen.web.schemas.errors import Refusal

PREFIX = "/api/v1"
BEARER: list[dict[str, list[str]]] = [{"bearer": []}]
WRITING_ANSWERS = (400, 413)
BODY_ANSWERS = (415, 422)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class Parser(FlaskParser):
    """Reads bodies strictly: whatever is not JSON is a 400, however it manages not to be."""

    def _raw_load_json(self, req: Any) -> Any:
        body = req.get_data(cache=True)
        if req.content_length is None and len(body) >= (req.max_content_length or len(body) + 1):
            raise RequestEntityTooLarge()  # sent in pieces: what is longer was cut off
        try:
            return json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):  # broken, not UTF-8, numbers without end, too deep
            abort(400, messages={"json": ["Invalid JSON body."]})


class Door(Blueprint):
    """A blueprint that documents what its guard, its method and its body can make it answer."""

    ARGUMENTS_PARSER = Parser()

    def route(self, rule: str, *, parameters: Any = None, **options: Any) -> Callable[..., Any]:
        """Add a view, its usual refusals documented with it."""
        outer = super().route(rule, parameters=parameters, **options)
        method = options.get("methods", ["GET"])[0]

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            kept = getattr(view, "__guard__", None)
            if kept is None:
                raise RuntimeError(f"{view.__name__} declares no guard")
            reads = _reads_json(view)
            codes = {503}
            if kept.roles:
                codes |= {401, 403}
                view = self.doc(security=BEARER)(view)
            if "<" in rule:
                codes.add(404)
            if method not in READING:
                codes.update(WRITING_ANSWERS)
            if reads:
                codes.update(BODY_ANSWERS)
            return outer(_json_only(self.may_refuse(*codes)(view)) if reads
                         else self.may_refuse(*codes)(view))

        return decorate

    def written(
        self, schema: Any, first: int = 201, *, required: bool = False
    ) -> Callable[..., Any]:
        """Document a write under a once-only key: `first` when it is done, 200 when it was."""
        key = {
            "in": "header", "name": HEADER, "required": required,
            "schema": {"type": "string", "minLength": 8, "maxLength": 80},
            "description": "chosen by you, one for each act; the same again gets the first answer",
        }

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            view = self.response(first, schema)(view)
            view = self.alt_response(200, schema=schema, description="done before", success=True)(
                view
            )
            return self.may_refuse(409, 422)(self.doc(parameters=[key])(view))

        return decorate

    def may_refuse(self, *codes: int) -> Callable[..., Any]:
        """Document refusals a view may answer, all of the one shape."""

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            known = getattr(view, "_apidoc", {}).get("response", {}).get("responses", {})
            for code in sorted(set(codes) - set(known)):
                view = self.alt_response(code, http.HTTPStatus(code).name)(view)
            return view

        return decorate


def done(answer: Answer, first: int = 201) -> Response:
    """A write's answer, as it was first given."""
    response = jsonify(answer.body)
    response.status_code = answer.status(first)
    return response


def _reads_json(view: Callable[..., Any]) -> bool:
    parameters = getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", [])
    return any(one["in"] == "json" for one in parameters)


def _json_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """A body that does not call itself JSON is 415, not an empty wish."""

    @wraps(view)
    def checked(*args: Any, **named: Any) -> Any:
        if not request.is_json:
            raise UnsupportedMediaType()
        return view(*args, **named)

    return checked


class Document(Api):
    """The document; its errors are answered by the same table as everywhere else."""

    ERROR_SCHEMA = Refusal
    DEFAULT_ERROR_RESPONSE_NAME = None

    def handle_http_exception(self, error: HTTPException) -> Response:
        """One shape, `Allow`, `Retry-After` and `WWW-Authenticate` kept."""
        return errors.http(error)


def open_document(app: Flask) -> Document:
    """Start the document of this application, at /api/v1/openapi.json."""
    app.config.update(
        API_TITLE="Canteen",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {
                "description": "Elder meal assistance. Amounts are whole fen, days are Shanghai "
                "days, instants are UTC. Writes take an Idempotency-Key: the same request again "
                "gets the first answer with 200.",
            },
            "servers": [{"url": "/"}],
        },
    )
    document = Document(app)
    document.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith("api-docs.") and declared(app, endpoint) is None:
            app.view_functions[endpoint] = _declared_public(view)
    return document


def _declared_public(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    def shown(*args: Any, **named: Any) -> Any:
        return view(*args, **named)

    return public()(shown)
