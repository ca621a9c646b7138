"""The app on the tablet: it opens without a server, and a newer one waits for its turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext

from canteen.web.filters import STATIC
from tests.browser.tills import make_world, until

pytestmark = pytest.mark.browser
CONTROLLED = "() => navigator.serviceWorker.controller !== null"


def test_the_app_opens_without_a_server(
    app: Flask, live: Callable[[], str], context: BrowserContext
) -> None:
    make_world()
    address = live()
    page = context.new_page()
    page.goto(f"{address}/till")
    page.wait_for_function(CONTROLLED)
    context.set_offline(True)
    page.goto(f"{address}/till")
    page.wait_for_selector("#till:not([aria-busy])", state="attached")
    page.goto(f"{address}/till/orders")
    page.wait_for_url("**/till#offline")
    kept = page.evaluate(
        """async () => {
          const names = await caches.keys();
          const all = [];
          for (const name of names) {
            const kept = await (await caches.open(name)).keys();
            all.push(...kept.map((one) => new URL(one.url).pathname));
          }
          return all;
        }"""
    )
    assert "/till" in kept
    assert all(one == "/till" or one.startswith("/static/") for one in kept)


def test_a_newer_version_waits_until_nothing_is_open(
    app: Flask, live: Callable[[], str], context: BrowserContext, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import shutil

    shutil.copytree(STATIC, tmp_path / "static")
    monkeypatch.setattr(app, "static_folder", str(tmp_path / "static"))
    (tmp_path / "static/js/till/app.js").write_text("// nobody here but the test\n")
    page = context.new_page()
    page.goto(f"{live()}/till")
    page.evaluate(
        """async () => {
          window.marked = true;
          const { keepInstalled } = await import("/static/js/till/installing.js");
          await keepInstalled(() => window.idle === true);
          await navigator.serviceWorker.ready;
        }"""
    )
    page.wait_for_function(CONTROLLED)
    # A page that was controlled when it opened is the one that starts again for a newer version.
    page.reload()
    page.evaluate(
        """async () => {
          window.marked = true;
          const { keepInstalled } = await import("/static/js/till/installing.js");
          await keepInstalled(() => window.idle === true);
        }"""
    )
    changed = tmp_path / "static/js/till/clock.js"
    changed.write_text(changed.read_text() + "export const NEWER = true;\n")
    newer = """async () => {
      return (await import("/static/js/till/clock.js?again=" + Math.random())).NEWER;
    }"""
    page.evaluate("async () => { await (await navigator.serviceWorker.ready).update() }")
    until(page, "navigator.serviceWorker.ready.then(({ waiting }) => waiting !== null)")
    assert page.evaluate("() => window.marked") is True
    assert page.evaluate(newer) is None  # one page, files of one version
    page.evaluate("() => { window.idle = true }")
    page.wait_for_function("() => window.marked === undefined")
    assert page.evaluate(newer) is True
