"""A real server and a real browser: Debian's Chromium, without a window."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from canteen.access import passwords
from canteen.access.models import User
from canteen.db import db, transaction

PASSWORD = "plain rice at noon"
PATIENCE = 45_000  # milliseconds; waiting for what comes anyway costs nothing
ARGUMENTS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage",
]
TABLET = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def swipe(page: Page, card: str) -> None:
    """A scanner's keys, at a scanner's pace however busy the machine is."""
    page.evaluate(
        """card => {
            for (const key of [...card, "Enter"]) {
                const how = { key, bubbles: true, cancelable: true };
                document.activeElement.dispatchEvent(new KeyboardEvent("keydown", how));
            }
        }""",
        card,
    )


def chromium_path() -> str | None:
    """Where the machine's Chromium is; None lets the library look for one of its own."""
    named = os.environ.get("CANTEEN_CHROMIUM", "")
    known = ("chromium", "chromium-browser", "chromium-headless-shell")
    return named or next(filter(None, map(shutil.which, known)), None)


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where databases lie in turn: a page may still be asking one test's when the next begins."""
    return itertools.cycle(tmp_path_factory.mktemp("place") / "canteen.db" for _ in range(3))


@pytest.fixture(params=["sqlite"])
def database_url(sqlite_template: Path, places: Iterator[Path]) -> str:
    """One database is enough for what a browser shows."""
    place = next(places)
    for old in place.parent.glob(f"{place.name}*"):
        old.unlink()
    shutil.copy(sqlite_template, place)
    return f"sqlite:///{place}"


@pytest.fixture
def live(app: Flask) -> Iterator[Callable[[], str]]:
    """`live()` starts the application and gives its address: "http://127.0.0.1:34567"."""
    servers = []

    def start() -> str:
        app.config["WTF_CSRF_ENABLED"] = True  # a browser brings its tokens along
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the whole run."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A tablet that has never been here; a page that breaks a script fails the test."""
    context = browser.new_context(viewport=TABLET, locale="zh-CN", timezone_id="Asia/Shanghai")
    context.set_default_timeout(PATIENCE)
    faults: list[str] = []
    context.on("weberror", lambda fault: faults.append(str(fault.error)))
    yield context
    # Leaving a page while a script of it is still on its way is no fault of the page's.
    seen = [fault for fault in faults if "dynamically imported" not in fault]
    context.close()
    assert not seen


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """One page on that tablet."""
    return context.new_page()


def give_password(user_id: int) -> str:
    """Let a user of the factories sign in with PASSWORD; gives the login."""
    with transaction():
        user = db.session.get_one(User, user_id)
        user.password_hash = passwords.hash_of(PASSWORD)
        return user.login


def sign_in(page: Page, address: str, login: str) -> None:
    """Sign in through the form, as a person does."""
    page.goto(f"{address}/sign-in")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
