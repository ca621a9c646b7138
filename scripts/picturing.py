"""Pictures of the main pages, in both languages, from a demo city in a temporary folder."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
TABLET, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
QUIET = (
    "--no-sandbox", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-quic",
)  # fmt: skip


@contextmanager
def city() -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """A served demo city: its address and the sign-ins by role."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        environment = os.environ | {"CANTEEN_INSTANCE": folder, "PORT": str(port)}
        for command in (["db", "upgrade"], ["seed", "--canteens", "12", "--elders", "500"]):
            subprocess.run(
                [sys.executable, "-m", "canteen.cli", *command], cwd=ROOT, env=environment,
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"], cwd=ROOT,
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"{address}/readyz")
                    break
                except OSError:
                    time.sleep(0.1)
            told = json.loads((Path(folder) / "demo.json").read_text())
            yield address, {each["role"]: each for each in told["sign_ins"]}
        finally:
            server.terminate()
            server.wait(20)


def enter(browser: Browser, address: str, who: dict[str, str], size: dict, lang: str) -> Page:
    """A page signed in as somebody, in a language."""
    page = browser.new_context(viewport=size, base_url=address).new_page()
    page.goto("/sign-in")
    page.fill("[name=login]", who["login"])
    page.fill("[name=password]", who["password"])
    page.click("main button[type=submit]")
    page.goto(f"/language/{lang}?next=/")
    return page


def shoot(page: Page, name: str, lang: str) -> None:
    """Keep what the page shows now."""
    page.screenshot(path=PICTURES / f"{name}-{lang}.png", animations="disabled")


def main() -> None:
    """Take every picture."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with city() as (address, who), sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=os.environ.get("CANTEEN_CHROMIUM") or shutil.which("chromium"),
            args=list(QUIET),
        )
        for lang in ("zh", "en"):
            _till(enter(browser, address, who["cashier"], TABLET, lang), lang)
            _home(enter(browser, address, who["elder"], PHONE, lang), lang)
            _statement(enter(browser, address, who["street"], TABLET, lang), lang)
        browser.close()


def _till(page: Page, lang: str) -> None:
    page.goto("/till?elder_id=1")
    page.locator(".dish-tile button").first.click()
    page.wait_for_timeout(1500)
    shoot(page, "till", lang)


def _home(page: Page, lang: str) -> None:
    page.goto("/home")
    shoot(page, "elder", lang)


def _statement(page: Page, lang: str) -> None:
    page.goto("/bureau/statements")
    page.locator("main table a").first.click()
    page.wait_for_load_state()
    shoot(page, "statement", lang)


if __name__ == "__main__":
    main()
