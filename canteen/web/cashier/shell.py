"""The till's app itself: its page, its manifest, and the worker that keeps both on the tablet.

None of it holds anything of anybody; it is the same for every till.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

from flask import Response, current_app, jsonify, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from canteen.web.cashier.door import blueprint
from canteen.web.filters import STATIC, asset
from canteen.web.guards import public

MODULES = "js/till"
WORKER = "js/till/worker.js"
ICONS = (("icons/till-192.png", "192x192"), ("icons/till-512.png", "512x512"))
SCOPE = "/till"
_ADDRESS = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_IMPORT = re.compile(r'(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}/[^"]+\.js)"')


@blueprint.get("")
@public()
def till() -> ResponseReturnValue:
    """The page the app lives in."""
    return render_template("cashier/app.html")


@blueprint.get("/manifest.webmanifest")
@public()
def manifest() -> ResponseReturnValue:
    """What a browser asks before it installs the till."""
    icons = [
        {"src": asset(name), "sizes": size, "type": "image/png", "purpose": purpose}
        for name, size in ICONS
        for purpose in ("any", "maskable")
    ]
    answer = jsonify(
        id=SCOPE, name="收银机 · 老人家食堂", short_name="收银机", lang="zh-Hans-CN",
        description="敬老助餐收银：断网也能收款 · A till for elder canteens that sells offline",
        start_url=url_for("cashier.till"), scope=SCOPE, display="standalone",
        orientation="landscape", background_color="#faf6ee", theme_color="#0a5c45",
        categories=["business", "food"],
        icons=[*icons, {"src": asset("icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    )  # fmt: skip
    answer.mimetype = "application/manifest+json"
    return answer


@blueprint.get("/sw.js")
@public()
def service_worker() -> ResponseReturnValue:
    """The service worker of this version: our script behind the list of what it keeps."""
    page = render_template("cashier/app.html")
    files = shell_files(page)
    source = (_static() / WORKER).read_text()
    version = hashlib.sha256("\n".join([page, source, *files]).encode()).hexdigest()[:12]
    shell = {"version": version, "page": url_for("cashier.till"), "files": files}
    answer: Response = make_response(f"self.SHELL = {json.dumps(shell)};\n{source}")
    answer.mimetype = "text/javascript"
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Service-Worker-Allowed"] = SCOPE
    return answer


def shell_files(page: str) -> list[str]:
    """The addresses, with the marks of their contents, of all that the app's page needs: what it
    names, every module of the till, whatever those import, and the icons."""
    root = _static()
    prefix = url_for("static", filename="")
    named = {urlsplit(one).path.removeprefix(prefix) for one in _ADDRESS.findall(page)}
    named |= {path.relative_to(root).as_posix() for path in (root / MODULES).rglob("*.js")}
    named |= {name for name, _ in ICONS}
    waiting = [name for name in named if name.endswith(".js")]
    while waiting:
        here = root / waiting.pop()
        for found in _IMPORT.findall(here.read_text()):
            name = (here.parent / found).resolve().relative_to(root.resolve()).as_posix()
            if name not in named:
                named.add(name)
                waiting.append(name)
    return [asset(name) for name in sorted(named - {WORKER}) if (root / name).is_file()]


def _static() -> Path:
    return Path(current_app.static_folder or STATIC)
