"""A receipt as the bytes a receipt printer understands (ESC/POS, GB18030)."""

from __future__ import annotations

import logging
import shutil
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

from canteen.money import yuan
from canteen.web.cashier.columns import COLUMNS, ENCODING, centred, sides, wrapped
from canteen.web.filters import day_time
from canteen.web.language import said, t

CHINESE = b"\x1c&"  # FS &: from here two bytes are one character
QR_DOTS = {"80": 5, "58": 4}


@cache
def _dummy() -> Any:
    """The library's printer that only collects what it would send, and its mark of no change.

    Loaded when the first receipt is printed, for few processes ever do; what the library does to
    the process at that moment — a handler on the root logger, a folder in the temporary
    directory — is taken back at once.
    """
    root = logging.getLogger()
    handlers = list(root.handlers)
    from escpos import capabilities
    from escpos.printer import Dummy

    root.handlers[:] = handlers
    shutil.rmtree(capabilities.pickle_dir, ignore_errors=True)
    return Dummy


def as_bytes(slip: Mapping[str, Any], paper: str, address: str = "") -> bytes:
    """What a printer is sent for a receipt on paper of 80 or 58 mm, in the reader's language.

    `slip` is what the receipt page shows; `address` is the absolute address at which anybody
    may check the receipt, "" when it has none.
    """
    most, printer = COLUMNS[paper], _dummy()()
    printer.hw("INIT")
    printer._raw(CHINESE)

    def say(*lines: str) -> None:
        for line in lines:
            printer._raw(f"{_harmless(line)}\n".encode(ENCODING))

    def loud(*lines: str) -> None:
        printer.set(bold=True, custom_size=True, width=1, height=2)
        say(*lines)
        printer.set(bold=False, custom_size=True, width=1, height=1)

    loud(*centred(slip["title"], most))
    if slip["order"].state == "cancelled":
        loud(*centred(t("已取消，作废", "CANCELLED, VOID"), most))
    say("-" * most, *_head(slip, most), "-" * most)
    for line in slip["lines"]:
        sums = f"{line.quantity}x{yuan(line.unit_fen)} {yuan(line.quantity * line.unit_fen):>8}"
        say(*sides(t(line.name, line.name_en or line.name), sums, most))
    say("-" * most, *_strip(slip["quote"], most), "=" * most)
    loud(*sides(t("您付", "You pay"), f"￥{yuan(slip['quote']['payable_fen'])}", most))
    if slip["quote"]["why"]:
        say(*wrapped(said(slip["quote"]["why"]), most))
    say("-" * most)
    for label, value in slip["facts"]:
        say(*sides(said(label), said(value), most))
    if address:
        say("")
        printer.set(align="center")
        printer.qr(address, native=True, size=QR_DOTS[paper])
        printer.set(align="left")
        say(*centred(t("扫码核对这张小票", "Scan to check this receipt"), most))
        say(*centred(slip["receipt"].code, most))
    say(*centred(slip["canteen"].address, most), *centred(slip["canteen"].phone, most))
    printer.cut()
    return bytes(printer.output)


def _harmless(line: str) -> str:
    """A line without characters that are commands to a printer: names are somebody's typing."""
    return "".join(" " if unicodedata.category(one) == "Cc" else one for one in line)


def _head(slip: Mapping[str, Any], most: int) -> list[str]:
    """Which sale this is, and when."""
    order = slip["order"]
    when = day_time(order.paid_at or order.placed_at, True)
    what = f"{said(slip['meals'][order.meal])} {said(slip['services'][order.service])}"
    return [*sides(what, slip["number"], most), *wrapped(when, most)]


def _strip(quote: Mapping[str, Any], most: int) -> list[str]:
    """The price strip as lines: all its parts, and who pays them."""
    lines = sides(t("标价", "Price"), yuan(quote["list_fen"]), most)
    borne = t("食堂优惠（食堂承担）", "Discount (the canteen's)")
    lines += sides(borne, f"-{yuan(quote['discount_fen'])}", most)
    lines += sides(t("政府补贴", "Subsidy"), f"-{yuan(quote['subsidy_fen'])}", most)
    if quote["subsidy_fen"]:
        for who, fen in quote["payers"]:
            lines += sides(f"  {said(who)}", f"{yuan(fen)} ", most)
    return lines
