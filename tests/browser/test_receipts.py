"""The receipt drawn on the tablet: every line, a code that reads back, paper of two widths."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
import segno
from playwright.sync_api import Page

from tests.factories import make_city

pytestmark = pytest.mark.browser
ADDRESS = "http://localhost/r/12/345/0a1b2c3d"
SALE: dict[str, Any] = {
    "number": 345, "id": "x", "at": "2026-11-22T04:05:00.000Z", "on": "2026-11-22", "meal": "lunch",
    "service": "eat_in", "elder": {"id": 1, "name": "赵和平"}, "state": "done", "order_id": 7,
    "lines": [
        {"item_id": 1, "name": "红烧肉饭", "name_en": "Pork set", "quantity": 1, "unit_fen": 1500},
        {"item_id": 2, "name": "<b>鸡蛋羹</b>", "name_en": "", "quantity": 2, "unit_fen": 300},
    ],
    "parts": {
        "list_fen": 2100, "discount_fen": 210, "subsidy_fen": 300, "account_fen": 0,
        "payable_fen": 1590, "cash_fen": 590, "excess_fen": 0,
    },
    "cash_fen": 590, "received_fen": 1000, "notes": [], "bearer": None,
    "quote": {
        "shares": [
            {"side": "elder", "funder": "city", "amount_fen": 150},
            {"side": "elder", "funder": "district", "amount_fen": 150},
            {"side": "enterprise", "funder": "city", "amount_fen": 200},
        ],
        "steps": [{"code": "left_this_week", "params": {"used": 3, "cap": 5}}],
    },
}  # fmt: skip
STATION = {
    "state": {"till": {"name": "一号机"}, "practice": False},
    "pack": {"canteen": {"name": "老人家食堂1", "name_en": "Canteen 1", "address": "某街 1 号",
                         "phone": "02200000000"}},
}  # fmt: skip
DRAW = """async ([sale, station, chosen]) => {
  const { receiptElement, paper } = await import("/static/js/till/receipt.js");
  paper(chosen);
  const drawn = receiptElement(sale, station);
  document.querySelector("main").replaceChildren(drawn);
  const edge = (one) => one.getBoundingClientRect().right;
  const furthest = Math.max(...[...drawn.querySelectorAll("*")].map(edge));
  return { words: drawn.innerText, width: drawn.getBoundingClientRect().width,
           wide: furthest - edge(drawn),
           path: drawn.querySelector("path")?.getAttribute("d") ?? "" };
}"""


def modules(address: str) -> tuple[str, int, list[list[int]]]:
    """An address as the pack sends it: the bits, their size, and what they should draw."""
    rows = [list(row) for row in segno.make(address, error="m", micro=False).matrix]
    bits = "".join(str(one) for row in rows for one in row)
    packed = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    return base64.b64encode(packed).decode(), len(rows), rows


@pytest.fixture
def draw(live: Callable[[], str], app: object, page: Page) -> Callable[..., dict[str, Any]]:
    """`draw(language=…, paper=…, **changes)` gives what the receipt of a changed sale shows."""
    make_city()
    address = live()
    bits, size, _ = modules(ADDRESS)
    code = {"path": "/r/12/345/0a1b2c3d", "code": "0a1b2c3d", "size": size, "bits": bits}

    def shown(language: str = "zh", paper: str = "80", **changes: Any) -> dict[str, Any]:
        page.context.add_cookies([{"name": "lang", "value": language, "url": address}])
        page.goto(f"{address}/canteens")
        return page.evaluate(DRAW, [SALE | {"receipt": code} | changes, STATION, paper])

    return shown


def test_it_says_every_sum_and_who_pays(draw: Callable[..., dict[str, Any]]) -> None:
    words = draw()["words"]
    for part in ("老人家食堂1", "一号机 第 345 号 · 午餐 · 堂食", "2026年11月22日", "12:05",
                 "红烧肉饭", "<b>鸡蛋羹</b>", "标价", "21.00", "食堂优惠", "2.10", "政府补贴",
                 "3.00", "由市级承担", "1.50", "￥15.90", "现金", "5.90", "线上支付", "10.00",
                 "收到 / 找零", "10.00 / 4.10", "赵*平", "本周还可用 2 次", "扫码核对",
                 "0a1b2c3d", "某街 1 号"):  # fmt: skip
        assert part in words, part
    assert "赵和平" not in words


def test_in_english_as_well(draw: Callable[..., dict[str, Any]]) -> None:
    words = draw("en")["words"]
    for part in ("Canteen 1", "Pork set", "You pay", "paid by the city", "2 left this week",
                 "Scan to check"):  # fmt: skip
        assert part in words, part
    assert "本周" not in words


def test_the_code_draws_what_the_pack_sent(draw: Callable[..., dict[str, Any]]) -> None:
    _, size, rows = modules(ADDRESS)
    drawn = [[0] * size for _ in range(size)]
    for x, y, run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", draw()["path"]):
        for step in range(int(run)):
            drawn[int(y) - 4][int(x) - 4 + step] = 1
    assert drawn == rows


@pytest.mark.parametrize("paper", ["80", "58"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_sticks_out_of_the_paper(
    draw: Callable[..., dict[str, Any]], paper: str, language: str
) -> None:
    shown = draw(language, paper)
    assert shown["wide"] <= 0
    assert abs(shown["width"] - int(paper) / 25.4 * 96) < 1


@pytest.mark.parametrize(
    ("state", "words"),
    [("kept", "等待上传"), ("voided", "已作废"), ("refused", "没有成交"), ("awaiting", "线上待付")],
)
def test_a_sale_that_is_not_done_says_what_it_is(
    draw: Callable[..., dict[str, Any]], state: str, words: str
) -> None:
    assert words in draw(state=state)["words"]


def test_where_no_code_was_drawn_ahead_the_address_can_be_typed(
    draw: Callable[..., dict[str, Any]]
) -> None:
    code = {"path": "/r/12/346/0a1b2c3e", "code": "0a1b2c3e", "size": 0, "bits": None}
    shown = draw(paper="58", receipt=code)
    assert re.search(r"核对网址\s+http://127.0.0.1:\d+/r/12/346/0a1b2c3e", shown["words"])
    assert shown["wide"] <= 0 and not shown["path"]


def test_only_the_receipt_is_printed(draw: Callable[..., dict[str, Any]], page: Page) -> None:
    draw()
    page.evaluate("""async ([sale, station]) => {
      window.print = () => {};
      const { printReceipt } = await import("/static/js/till/receipt.js");
      printReceipt(sale, station);
    }""", [SALE, STATION])  # fmt: skip
    page.emulate_media(media="print")
    seen = page.evaluate("""() => [...document.body.children]
      .filter((one) => getComputedStyle(one).display !== "none").map((one) => one.className)""")
    assert len(seen) == 1 and "receipt-print" in seen[0]
    page.emulate_media(media="screen")
    assert not page.locator(".receipt-print").is_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator(".receipt-print").count() == 0
