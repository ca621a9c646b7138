"""Receipts: every sum and who bears it, on the page and in the bytes a printer is sent."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile

import pytest
from flask import Flask
from flask.testing import FlaskClient

from canteen.web.cashier.columns import sides, width, wrapped
from tests.factories import City
from tests.tills.receipts import code_of, make_sale, make_till
from tests.web.cashier.conftest import enter
from tests.web.cashier.test_orders import order_ahead

PAPERS = [("80", 48), ("58", 32)]
# What the printer does and does not show: one command with its parameters.
COMMAND = re.compile(
    rb"\x1b@|\x1c&|\x1b[aEG!M].|\x1d!.|\x1bd.|\x1dV.|\x1b[tR].|\x1d\(k(?P<size>..)", re.DOTALL
)


def printed(sent: bytes) -> str:
    """The text on the paper, without the commands."""
    shown, at = b"", 0
    while at < len(sent):
        command = COMMAND.match(sent, at)
        if command is None:
            shown, at = shown + sent[at : at + 1], at + 1
            continue
        size = command.group("size")
        at = command.end() + (int.from_bytes(size, "little") if size else 0)
    return shown.decode("gb18030")


@pytest.mark.parametrize(("paper", "columns"), PAPERS)
def test_the_bytes_say_every_sum_within_the_paper(
    cashier: FlaskClient, city: City, paper: str, columns: int
) -> None:
    till = make_till(city)
    number = make_sale(city, till, 12, received_fen=2000)
    answer = cashier.get(f"/till/orders/{number}/receipt.escpos?paper={paper}")
    assert answer.mimetype == "application/octet-stream"
    said = printed(answer.data)
    assert max(width(line) for line in said.splitlines()) <= columns
    for part in ("老人家食堂1", "一号机 第 12 号", "午餐 堂食", "菜0", "1x15.00", "标价", "-1.50",
                 "政府补贴", "-3.00", "市级", "区级", "￥10.50", "收到 / 找零", "20.00 / 9.50",
                 "本周还可用 4 次", "扫码核对", code_of(till, 12), "某街 1 号"):  # fmt: skip
        assert part in said, part


def test_the_bytes_end_with_a_cut_and_carry_the_address_as_the_printers_own_code(
    cashier: FlaskClient, city: City
) -> None:
    till = make_till(city)
    sent = cashier.get(f"/till/orders/{make_sale(city, till, 3)}/receipt.escpos").data
    address = f"http://localhost/r/{till.id}/3/{code_of(till, 3)}".encode()
    stored = b"\x1d(k" + (len(address) + 3).to_bytes(2, "little") + b"1P0" + address
    assert sent.startswith(b"\x1b@\x1c&") and stored in sent
    assert b"\x1d(k\x03\x001Q0" in sent, "the code is stored but never printed"
    assert re.search(rb"\x1dV[\x00\x01AB]\x00?$", sent)


def test_in_english_the_printer_gets_english(cashier: FlaskClient, city: City) -> None:
    cashier.set_cookie("lang", "en")
    number = make_sale(city, make_till(city), 3)
    said = printed(cashier.get(f"/till/orders/{number}/receipt.escpos?paper=58").data)
    assert "You pay" in said and "4 left" in said and "政府补贴" not in said


def test_the_page_shows_the_code_to_scan_and_where_it_leads(
    cashier: FlaskClient, city: City
) -> None:
    till = make_till(city)
    number = make_sale(city, till, 8, received_fen=5000)
    page = cashier.get(f"/till/orders/{number}/receipt").text
    assert f"/r/{till.id}/8/{code_of(till, 8)}" in page and "<svg" in page
    assert "一号机 第 8 号" in page and "50.00 / 39.50" in page


def test_an_order_no_till_sold_has_no_code(cashier: FlaskClient, city: City) -> None:
    number = order_ahead(city)
    assert "receipt-check" not in cashier.get(f"/till/orders/{number}/receipt").text
    sent = cashier.get(f"/till/orders/{number}/receipt.escpos").data
    assert b"\x1d(k" not in sent and f"第 {number} 号" in printed(sent)


def test_what_the_canteen_bears_of_an_offline_sale_stands_in_its_discount(
    cashier: FlaskClient, city: City
) -> None:
    number = make_sale(city, make_till(city), 8, excess_fen=200)
    said = printed(cashier.get(f"/till/orders/{number}/receipt.escpos").data)
    assert "-3.50" in said and "￥8.50" in said


def test_another_canteens_receipt_is_not_to_be_had(app: Flask, city: City) -> None:
    address = f"/till/orders/{make_sale(city, make_till(city), 8)}/receipt.escpos"
    assert enter(app, city.cashier_elsewhere).get(address).status_code == 404
    assert enter(app, city.cashier).get(address).status_code == 200


@pytest.mark.parametrize(
    ("text", "most", "lines"),
    [
        ("红烧肉套餐", 10, ["红烧肉套餐"]),
        ("红烧肉套餐", 9, ["红烧肉套", "餐"]),
        ("braised pork set", 9, ["braised", "pork set"]),
        ("红烧肉 pork", 8, ["红烧肉", "pork"]),
        ("", 8, [""]),
    ],
)
def test_lines_break_where_they_may(text: str, most: int, lines: list[str]) -> None:
    assert wrapped(text, most) == lines


@pytest.mark.parametrize("left", ["菜", "一个名字很长很长很长很长的菜", "A dish with a long name"])
def test_two_sides_fill_the_line_and_never_pass_it(left: str) -> None:
    first, *rest = sides(left, "2x3.00 6.00", 32)
    assert width(first) == 32 and first.endswith("6.00")
    assert all(width(line) <= 32 for line in rest)
    said = "".join([first.removesuffix("2x3.00 6.00"), *rest])
    assert said.replace(" ", "") == left.replace(" ", "")


def test_the_printers_library_changes_nothing_of_the_process() -> None:
    looks = (
        "import logging, tempfile, os\n"
        "before = logging.getLogger().handlers[:]\n"
        "from canteen.web.cashier.printing import _dummy\n"
        "_dummy()\n"
        "print(logging.getLogger().handlers == before, os.listdir(tempfile.gettempdir()))\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        seen = subprocess.run(
            [sys.executable, "-c", looks], capture_output=True, text=True, check=True,
            env=os.environ | {"TMPDIR": folder},
        )
    assert seen.stdout.strip() == "True []", seen.stderr
