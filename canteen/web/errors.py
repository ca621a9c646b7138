"""Every no and every fault as an answer: one table of status codes, one JSON shape, one page."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from jinja2 import TemplateNotFound
from sqlalchemy.exc import InterfaceError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import HTTPException

from canteen.db import db
from canteen.errors import CanteenError, Conflict, Forbidden, NotFound, Refused
from canteen.payments.gateway import ProviderDown
from canteen.web.language import LANGUAGE_COOKIE, LOCALES, locale
from canteen.web.schemas.words import first_complaint
from canteen.web.ways_back import nearest_page
from canteen.words import Text

log = structlog.get_logger("canteen.web")

STATUS: tuple[tuple[type[CanteenError], int], ...] = (
    (NotFound, 404),
    (Forbidden, 403),
    (Conflict, 409),
    (Refused, 422),
    (CanteenError, 422),
)
TITLES = {
    400: Text("请求没有看懂", "The request was not understood"),
    401: Text("请先登录", "Please sign in"),
    403: Text("这里不归您办理", "This is not yours to do"),
    404: Text("没有找到", "Not found"),
    409: Text("情况已经变化", "Things have changed"),
    413: Text("内容太大", "Too large"),
    422: Text("不能这样做", "This cannot be done"),
    429: Text("请稍等再试", "Please wait a little"),
    500: Text("系统出错了", "Something broke on our side"),
    503: Text("暂时不可用", "Not available for a moment"),
}
HTTP: dict[int, tuple[str, Text]] = {
    400: ("bad_request", Text("请求格式有误，没有看懂", "The request is malformed")),
    401: ("not_signed_in", Text("请先登录", "Sign in first, or send a valid bearer token")),
    403: ("forbidden", Text("您没有做这件事的权限", "You may not do this")),
    404: ("not_found", Text("没有找到这个页面或内容", "There is nothing at this address")),
    405: ("method_not_allowed", Text("这个地址不接受这种操作", "This address has no such method")),
    406: ("not_acceptable", Text("不能以所要的格式回答", "There is no answer in that format")),
    408: ("too_slow", Text("请求传得太慢", "The request took too long to arrive")),
    413: ("too_large", Text("内容超过允许的大小", "The body is larger than allowed")),
    414: ("address_too_long", Text("地址太长", "The address is too long")),
    415: ("not_json", Text("请以 application/json 发送内容", "Send the body as application/json")),
    422: ("invalid", Text("内容有误", "Something in the request is not valid")),
    429: ("too_often", Text("太频繁了，请稍等再试", "Too often; wait a little and try again")),
}
BROKEN_JSON = ("broken_json", Text("内容不是完整的 JSON", "The body is not well-formed JSON"))
STALE_FORM = (
    "stale_form",
    Text("页面放得太久了，请刷新后再提交", "This page is too old; reload it and send again"),
)
UNAVAILABLE = (
    "database_unavailable",
    Text(
        "数据库正忙或暂时连不上，没有保存任何内容，请过几秒再试",
        "The database is busy or out of reach; nothing was saved, try again in a few seconds",
    ),
)
PROVIDER_DOWN = (
    "provider_unavailable",
    Text(
        "支付平台暂时没有回应，没有扣款，请稍后再试",
        "The payment provider does not answer; nothing was charged, try again in a moment",
    ),
)
BUG = (
    "internal",
    Text(
        "系统出错了，没有保存任何内容。请把编号 {reference} 告诉管理员",
        "Something broke; nothing was saved. Please tell the administrator the number {reference}",
    ),
)
LAYOUTS = {
    "cashier": "base_till.html", "manager": "base_till.html",
    "elder": "base_elder.html", "family": "base_elder.html",
    "street": "base_bureau.html", "district": "base_bureau.html", "city": "base_bureau.html",
    "evaluator": "base_bureau.html", "operator": "base_bureau.html",
}
RETRY_SECONDS = "3"


def rendered(
    template: str, *, refusal: CanteenError | None, **values: Any
) -> tuple[str, int]:
    """A page that may tell a refusal, and then has its status."""
    page = render_template(template, refusal=refusal, **values)
    return page, status_of(refusal)[0] if refusal else 200


def status_of(refusal: CanteenError) -> tuple[int, dict[str, str]]:
    """The status code of a refusal by its kind; one that says when to come back is a 429."""
    if "retry_after" in refusal.detail:
        return 429, {"Retry-After": str(refusal.detail["retry_after"])}
    return next(status for kind, status in STATUS if isinstance(refusal, kind)), {}


def reader_locale() -> str:
    """The language of an error: a page's reader's, or what a program's Accept-Language asks."""
    if not wants_json() or request.cookies.get(LANGUAGE_COOKIE) in LOCALES:
        return locale()
    return request.accept_languages.best_match(LOCALES) or locale()


def wants_json() -> bool:
    """Whether the caller is a program: the API, or a script of a page that asks for JSON."""
    if request.path.startswith("/api/"):
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json" and "text/html" not in request.accept_mimetypes


def shape(
    code: str, text: Text, *, field: str | None = None, row: int | None = None,
    detail: dict[str, Any] | None = None, reference: str | None = None,
) -> dict[str, Any]:
    """The one JSON shape of every refusal and fault."""
    return {
        "error": {
            "code": code,
            "message": text.into(reader_locale()),
            "messages": {"zh": text.zh, "en": text.en},
            "field": field,
            "row": row,
            "detail": plain(detail or {}),
            "reference": reference,
        }
    }


def plain(value: Any) -> Any:
    """Anything as JSON knows it; a Text becomes both its sentences."""
    if isinstance(value, Text):
        return {"zh": value.zh, "en": value.en}
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def answer(
    status: int, code: str, text: Text, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    """The answer a program or a reader gets; nothing of the request is kept."""
    if wants_json():
        response = jsonify(shape(code, text, **more))
    else:
        response = make_response(_page(status, text, more.get("reference")))
    response.status_code = status
    response.headers.update(headers or {})
    return response


def _page(status: int, text: Text, reference: str | None) -> str:
    """The error page in the layout of the reader's own door; a bare one when even that fails."""
    title = TITLES.get(status, TITLES[400])
    role = getattr(g.get("actor"), "role", "")
    act = (("重新登录", "Sign in"), "/sign-in") if status == 401 else None
    if status == 405:
        act = (("回到这一页", "Back to the page"), nearest_page(request.path))
    try:
        return render_template(
            "error.html", layout=LAYOUTS.get(role, "base_public.html"), status=status,
            title=title, text=text, reference=reference, home_url="/",
            act=(Text(*act[0]), act[1]) if act else None,
        )
    except (TemplateNotFound, sa.exc.SQLAlchemyError):
        words = locale()
        return (
            f"<!doctype html><title>{title.into(words)}</title>"
            f"<h1>{title.into(words)}</h1><p>{text.into(words)}</p><p>{reference or status}</p>"
        )


def install(app: Flask) -> None:
    """Answer every exception there can be."""
    app.register_error_handler(CanteenError, refused)
    app.register_error_handler(HTTPException, http)
    for gone in (OperationalError, InterfaceError, NoConnection):
        app.register_error_handler(gone, unavailable)
    app.register_error_handler(ProviderDown, provider_down)
    app.register_error_handler(Exception, bug)


def refused(refusal: CanteenError) -> Response:
    """A room said no."""
    status, headers = status_of(refusal)
    return answer(
        status, refusal.code, refusal.text, headers,
        field=refusal.field, row=refusal.row, detail=refusal.detail,
    )


def http(fault: HTTPException) -> Response:
    """Flask, Werkzeug or the argument parser said no; its own headers (Allow…) go with it."""
    if fault.code is None or fault.code < 400:
        return fault.get_response()  # type: ignore[return-value]
    if fault.code >= 500:
        return bug(getattr(fault, "original_exception", None) or fault)
    code, text = HTTP.get(fault.code, ("http_error", Text(str(fault.name), str(fault.name))))
    field, detail = None, {}
    if isinstance(fault, CSRFError):
        code, text = STALE_FORM
    elif fault.code == 401 and g.get("token_failure"):
        code, text = f"token_{g.token_failure.reason}", g.token_failure.text
    elif messages := (getattr(fault, "data", None) or {}).get("messages"):
        if fault.code == 400:
            code, text = BROKEN_JSON
        else:
            field, text = first_complaint(messages)
            detail = {"fields": messages}
    elif fault.code == 400 and request.mimetype == "application/json":
        code, text = BROKEN_JSON
    headers = {
        name: value for name, value in fault.get_headers(request.environ)
        if name in ("Allow", "Retry-After", "WWW-Authenticate")
    }
    if fault.code == 429:
        headers.setdefault("Retry-After", RETRY_SECONDS)
    return answer(fault.code, code, text, headers, field=field, detail=detail)


def unavailable(fault: Exception) -> Response:
    """The database is locked, busy or gone."""
    db.session.rollback()
    _quiet(fault)
    log.error("database_unavailable", reference=g.get("reference"), fault=str(fault)[:300])
    return answer(503, *UNAVAILABLE, {"Retry-After": RETRY_SECONDS}, reference=g.get("reference"))


def provider_down(fault: ProviderDown) -> Response:
    """The payment provider gave no clear answer; the same request may be sent again."""
    log.warning("provider_down", reference=g.get("reference"), fault=str(fault)[:300])
    return answer(503, *PROVIDER_DOWN, {"Retry-After": RETRY_SECONDS})


def bug(fault: Exception) -> Response:
    """Anything else is a bug: logged with a number the reader can tell us; nothing is saved."""
    db.session.rollback()
    _quiet(fault)
    reference = g.get("reference") or "-"
    log.error("bug", reference=reference, exc_info=fault)
    if current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise fault
    return answer(500, BUG[0], BUG[1].format(reference=reference), reference=reference)


def _quiet(fault: BaseException | None) -> None:
    """A statement's values may be somebody's name or number: they stay out of the log."""
    while fault is not None:
        if isinstance(fault, StatementError):
            fault.hide_parameters = True
        fault = fault.__cause__ or fault.__context__
