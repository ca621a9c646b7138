"""How this reader reads: Chinese or English, and at which of three sizes of text."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, has_request_context, request

from canteen.words import Text

LOCALES = ("zh", "en")
TEXT_SIZES = ("1", "2", "3")
LANGUAGE_COOKIE = "lang"
TEXT_SIZE_COOKIE = "text_size"
A_YEAR = 365 * 24 * 3600


def locale() -> str:
    """The reader's language, "zh" or "en".

    The cookie says it first, because it is what they last chose on this device; then what their
    account prefers; else Chinese. Outside a request it is always "zh".
    """
    if not has_request_context():
        return "zh"
    for wish in (request.cookies.get(LANGUAGE_COOKIE), _preferred()):
        if wish in LOCALES:
            return wish
    return "zh"


def _preferred() -> str | None:
    """What the signed-in person's account prefers, if it says."""
    return getattr(g.get("actor"), "locale", None)


def t(zh: str, en: str, **values: Any) -> str:
    """The sentence in the reader's language, its {placeholders} filled.

    Without values the sentence is taken as it stands, braces included. A value that is a Text is
    put into the same language.
    """
    text = Text(zh, en)
    return (text.format(**values) if values else text).into(locale())


def said(what: Any) -> str:
    """Anything a page may be handed as words: a Text in the reader's language, else as it is."""
    if isinstance(what, Text):
        return what.into(locale())
    return "" if what is None else what if isinstance(what, str) else str(what)


def remember(response: Response, cookie: str, value: str, *, secure: bool) -> None:
    """Keep a reader's choice for a year; our own scripts may read it, other sites never get it."""
    response.set_cookie(cookie, value, max_age=A_YEAR, samesite="Lax", secure=secure, path="/")


def text_size() -> str:
    """The elder's size of text: "1" (22 px), "2" (26 px) or "3" (30 px)."""
    if not has_request_context():
        return "1"
    for wish in (request.args.get(TEXT_SIZE_COOKIE), request.cookies.get(TEXT_SIZE_COOKIE)):
        if wish in TEXT_SIZES:
            return wish
    return "1"


def install(app: Flask) -> None:
    """Give templates `t`, `locale`, `text_size`, `said`, and keep a size chosen by a plain link.

    The size is only how the page looks, so a link (`?text_size=2`) may set it without a form and
    without a script.
    """
    app.jinja_env.globals.update(t=t, locale=locale, text_size=text_size)
    app.jinja_env.filters["said"] = said

    @app.after_request
    def keep_text_size(response: Response) -> Response:
        wish = request.args.get(TEXT_SIZE_COOKIE)
        if wish in TEXT_SIZES:
            remember(response, TEXT_SIZE_COOKIE, wish, secure=request.is_secure)
        return response
