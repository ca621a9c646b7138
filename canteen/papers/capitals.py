"""Sums in Chinese capital figures (大写金额), as bills and statements must show them."""

from __future__ import annotations

from canteen.errors import Refused
from canteen.words import Text

FIGURES = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
GROUPS = ("", "万", "亿")
MOST_FEN = 10**14  # a million million yuan: above, the groups have no one usual name


class TooMuch(Refused):
    """The sum is beyond what can be written in capitals."""

    code = "too_much_for_capitals"
    text = Text("金额太大，无法写成大写", "The sum is too large to be written in capitals")


def capitals(fen: int) -> str:
    """A sum in capitals: 123456 → "人民币壹仟贰佰叁拾肆元伍角陆分", 130000 → "…壹仟叁佰元整".

    Follows the rules for filling in bills (支付结算办法, annex 1): 整 after 元 and 角, none after
    分; 零 where jiao or the last yuan figure is nought and something follows. A negative sum begins
    with 负. Refuses a sum of 10^12 yuan or more (TooMuch).
    """
    if abs(fen) >= MOST_FEN:
        raise TooMuch()
    yuan, rest = divmod(abs(fen), 100)
    jiao, last = divmod(rest, 10)
    words = f"{_whole(yuan)}元" if yuan or not rest else ""
    if yuan and rest and (not jiao or yuan % 10 == 0):
        words += "零"
    words += f"{FIGURES[jiao]}角" if jiao else ""
    words += f"{FIGURES[last]}分" if last else "整"
    return f"人民币{'负' if fen < 0 else ''}{words}"


def _whole(number: int) -> str:
    """A whole number in capitals: 107000 → 壹拾万柒仟, 10005 → 壹万零伍."""
    if number == 0:
        return FIGURES[0]
    said, gap = "", False
    for place in range(len(str(number)) - 1, -1, -1):
        figure = number // 10**place % 10
        if figure:
            said += (FIGURES[0] if gap else "") + FIGURES[figure] + PLACES[place % 4]
            gap = False
        else:
            gap = bool(said)
        if place and place % 4 == 0 and number // 10**place % 10_000:
            said, gap = said + GROUPS[place // 4], False
    return said
