"""The till's app as it is handed out: its page, its manifest, and the worker that keeps both."""

from __future__ import annotations

import json
import re
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from canteen.web.filters import STATIC


def shell_of(client: FlaskClient) -> dict[str, object]:
    """What the worker says the app consists of."""
    first = client.get("/till/sw.js").get_data(as_text=True).splitlines()[0]
    return dict(json.loads(first.removeprefix("self.SHELL = ").rstrip(";")))


def test_the_app_is_open_to_anybody_and_holds_nothing_of_anybody(client: FlaskClient) -> None:
    page = client.get("/till")
    assert page.status_code == 200 and "Set-Cookie" not in page.headers
    assert "csrf" not in page.get_data(as_text=True)


def test_the_worker_may_keep_the_till_and_is_asked_for_anew_each_time(client: FlaskClient) -> None:
    answer = client.get("/till/sw.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Service-Worker-Allowed"] == "/till"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_the_worker_keeps_every_file_that_exists_and_no_other(
    app: Flask, client: FlaskClient
) -> None:
    files = shell_of(client)["files"]
    assert isinstance(files, list)
    names = {re.sub(r"\?v=[0-9a-f]{8}$", "", one) for one in files}
    modules = {
        f"/static/{path.relative_to(STATIC).as_posix()}"
        for path in (STATIC / "js/till").rglob("*.js") if path.name != "worker.js"
    }
    assert modules <= names and "/static/js/words.js" in names
    assert {"/static/css/tokens.css", "/static/icon.svg", "/static/icons/till-512.png"} <= names
    for one in files:
        kept = client.get(one)
        assert kept.status_code == 200 and "immutable" in kept.headers["Cache-Control"]
    assert all(one.startswith("/static/") for one in files)


def test_another_file_is_another_version(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    import shutil

    before = shell_of(client)["version"]
    assert shell_of(client)["version"] == before
    shutil.copytree(STATIC, tmp_path / "static")
    app.static_folder = str(tmp_path / "static")
    clock = tmp_path / "static/js/till/clock.js"
    clock.write_text(clock.read_text() + "// changed\n")
    assert shell_of(client)["version"] != before


def test_the_manifest_says_what_a_browser_wants_before_it_installs(client: FlaskClient) -> None:
    told = client.get("/till/manifest.webmanifest")
    assert told.mimetype == "application/manifest+json"
    manifest = json.loads(told.get_data())
    assert manifest["start_url"] == manifest["scope"] == "/till"
    assert {icon["sizes"] for icon in manifest["icons"]} >= {"192x192", "512x512"}
    for icon in manifest["icons"]:
        picture = client.get(icon["src"])
        assert picture.status_code == 200 and picture.mimetype == icon["type"]
