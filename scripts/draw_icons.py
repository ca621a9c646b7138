"""Draw the till's icons as PNG from the one SVG, for browsers that install the app."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

from scripts.small_png import small

STATIC = Path(__file__).resolve().parent.parent / "canteen/static"
SIZES = (192, 512)
# The ground reaches the edges, so that any mask may cut it; the drawing keeps its safe middle.
PAGE = """<body style="margin:0;background:#0a5c45">
<div style="width:{0}px;height:{0}px;display:grid;place-items:center">
<div style="width:{1}px;height:{1}px">{2}</div></div></body>"""


def main() -> None:
    """Write icons/till-192.png and icons/till-512.png."""
    svg = (STATIC / "icon.svg").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for size in SIZES:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(PAGE.format(size, size * 86 // 100, svg))
            picture = small(page.screenshot())
            (STATIC / f"icons/till-{size}.png").write_bytes(picture)
        browser.close()


if __name__ == "__main__":
    main()
