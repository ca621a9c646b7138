"""What a canteen can do about each kind of finding, in a sentence."""

from __future__ import annotations

from canteen.checks import catalogue
from canteen.words import Text

OF_CHECK = {
    "deceased": Text(
        "请核对当天用餐的是谁。老人健在的，请街道更正登记；不是本人用餐的，请撤回这一餐的补贴。",
        "Check who ate that day. If the elder is alive, have the street correct the register; if"
        " somebody else used the card, give this subsidy up.",
    ),
    "unsigned": Text(
        "请送餐员当天在收银台“厨房”页补记签收人；已经过了当天的，写明签收人和时间。",
        "The courier enters who took it on the till's kitchen page the same day; after that,"
        " explain who took it and when.",
    ),
    "not_collected": Text(
        "老人确实来取过的，写明经过；没有取的，请撤回补贴。",
        "If the elder did fetch it, say so; if not, give the subsidy up.",
    ),
    "number_gap": Text(
        "请把这台收银机连上网络，缺的编号会自动补传。",
        "Connect this till to the network; what is missing is sent by itself.",
    ),
    "late_upload": Text(
        "请保持收银机联网；这次为什么晚，请说明。",
        "Keep the till connected, and say why it was late this time.",
    ),
    "clock_drift": Text(
        "请在这台平板上打开“自动设置时间”。", "Turn on automatic time on this tablet."
    ),
    "no_account": Text(
        "请老人到街道登记收款账户，否则补贴付不出去。",
        "The elder registers an account with the street; without it nothing can be paid.",
    ),
    "no_food_licence": Text(
        "请把许可证交街道登记。", "Have the street enter the licence."
    ),
    "no_business_licence": Text(
        "请把营业执照交街道登记。", "Have the street enter the licence."
    ),
    "no_agreement": Text(
        "请与街道补签协议，由街道登记。", "Sign the agreement with the street, which enters it."
    ),
    "no_supplier": Text(
        "请街道登记供餐单位。", "Have the street enter who supplies the meals."
    ),
    "shared_account": Text(
        "请核对收款账户；登记错了的，申请变更。",
        "Check your account; if it was entered wrong, ask for a change.",
    ),
}
OF_FAMILY = {
    "people": Text(
        "请核对用餐的是不是本人。确属误用的，请撤回这一餐的补贴；有证明的，请说明。",
        "Check who ate. If the card was misused, give this subsidy up; if you have proof, explain.",
    ),
    "caps": Text(
        "同一老人多给了一次，请撤回多出的一餐。", "One meal too many for this elder: give it up."
    ),
    "times": Text(
        "请核对时间和经手人；是补录的，请说明当时为什么没有刷卡。",
        "Check the time and who sold it; if it was entered later, say why.",
    ),
    "papers": Text(
        "证照已经换新的，请交街道登记，当晚会重新检查。",
        "If the paper was renewed, have the street enter it; it is checked again at night.",
    ),
    "prices": Text(
        "请核对这一餐的菜品和价格；收错了的，请撤回补贴。",
        "Check dishes and price of the meal; if they were wrong, give the subsidy up.",
    ),
    "patterns": Text(
        "请说明原因，例如附近只有这一家食堂。", "Say why: is no other canteen near?"
    ),
    "delivery": Text(
        "请核对送出和签收时间，写明经过。", "Check when it left and when it arrived, and explain."
    ),
    "tills": Text("请说明这台收银机当时的情况。", "Say what happened at this till."),
    "refunds": Text(
        "请与收银员核对每次退款的原因。", "Go through the reason of each refund with the cashier."
    ),
    "money": Text("请核对后说明。", "Check it and explain."),
}


# Those that speak of giving the subsidy up, and what is left to whom that is not open.
GIVEN_UP = (
    OF_CHECK["not_collected"], OF_CHECK["deceased"],
    *(OF_FAMILY[name] for name in ("people", "caps", "prices")),
)  # fmt: skip
EXPLAINED = Text(
    "这里不能撤回这一餐的补贴。请核对后写明经过，由区里决定；餐单被退回更正的，请在结算单里更正。",
    "The subsidy cannot be given up here. Check the meal and explain what happened; the district"
    " decides. A meal that was sent back is put right in its statement.",
)
AT_THE_TILL = Text(
    "请核对这一餐，写明经过，由区里决定。要撤回补贴的，由运营企业办理。",
    "Check the meal and say what happened; the district decides. Giving the subsidy up is the"
    " operator's act.",
)


def remedy(code: str, withdrawable: bool, role: str) -> Text | None:
    """What a reader of this role can do about a finding of this check; None for one no longer in
    the catalogue. `withdrawable`: whether the reader may give the subsidy up."""
    check = catalogue.BY_CODE.get(code)
    told = OF_CHECK.get(code) or (OF_FAMILY[check.family] if check else None)
    if told in GIVEN_UP and role == "manager":
        return AT_THE_TILL
    return EXPLAINED if told in GIVEN_UP and not withdrawable else told
