"""What a reviewer should know of a sale that a till made, in words."""

from __future__ import annotations

from collections.abc import Sequence

from canteen.words import Text

NOTES = {
    "late": Text(
        "上传比成交晚了十分钟以上", "Uploaded more than ten minutes after it was made"
    ),
    "clock_drift": Text(
        "收银机的时钟与系统相差两分钟以上，时间已校正",
        "The till's clock was more than two minutes off; the time is corrected",
    ),
    "over_portions": Text(
        "卖出的份数超过了当时的余量", "More portions were sold than were left"
    ),
    "price_differs": Text(
        "收银机上的菜价与菜单不同，按已收的价计",
        "The till's price of a dish differs from the menu; what was charged stands",
    ),
    "above_menu": Text(
        "收银机上的菜价高于菜单，没有补贴",
        "The till asked more than the menu says; no subsidy is paid",
    ),
    "excess_canteen": Text(
        "断网时多给的补贴，由食堂承担",
        "A subsidy shown without network that was not due; the canteen bears it",
    ),
    "excess_programme": Text(
        "断网时超出次数的补贴，由补贴资金承担，不发运营补贴",
        "A subsidy beyond the caps, given without network; the programme bears it,"
        " without enterprise subsidy",
    ),
    "subsidy_to_account": Text(
        "老人已付全款，补贴打到老人账户",
        "The diner paid in full; the subsidy goes to the elder's account",
    ),
    "over_allowance": Text(
        "断网时给的补贴餐数超过了区里允许的次数",
        "More subsidised meals were given without network than the district allows",
    ),
    "menu_differs": Text(
        "菜品属于另一天或另一餐的菜单", "A dish is of another day's or meal's menu"
    ),
    "not_selling": Text(
        "成交时食堂没有挂牌营业，没有补贴",
        "The canteen had no sign to sell under at that time; no subsidy is paid",
    ),
    "no_policy": Text("当天没有执行中的政策", "No policy was in force on that day"),
    "unknown_elder": Text(
        "登记册里已没有这位老人，没有补贴",
        "The elder is no longer on the register; no subsidy is paid",
    ),
    "unknown_card": Text("没有这张卡，没有补贴", "There is no such card; no subsidy is paid"),
    "card_lost": Text(
        "这张卡已挂失，没有补贴", "The card was reported lost; no subsidy is paid"
    ),
    "unknown_cashier": Text(
        "收银员不属于这家食堂或已停用", "The cashier is not of this canteen, or disabled"
    ),
    "recounted": Text(
        "交班清点多次不符后才通过，请核对现金",
        "Several counts did not agree before this one did; look at the cash",
    ),
    "unknown_shift": Text("没有这一班的开班记录", "No shift of this number was opened"),
    "shift_closed": Text(
        "上传时这一班已经交班，不计入清点",
        "The shift was closed before the sale came in; its count leaves the sale out",
    ),
}


def in_words(codes: Sequence[str]) -> list[Text]:
    """The sentences of an entry's notes; a code nobody has words for stands for itself."""
    return [NOTES.get(code, Text(code, code)) for code in codes]
