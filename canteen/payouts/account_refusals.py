"""Why a change of account is not asked for or not confirmed."""

from __future__ import annotations

from canteen.errors import Conflict, Forbidden, NotFound, Refused
from canteen.words import Text


class ChangeNotFound(NotFound):
    """There is no such wish on the actor's ground."""

    code = "bank_change_not_found"
    text = Text("没有找到这条账户变更", "This change of account was not found")


class AccountNeeded(Refused):
    """An enterprise cannot be left without an account."""

    code = "account_needed"
    text = Text("请填写收款账户", "Enter the payout account")


class SameAccount(Refused):
    """It is the account that is on record already."""

    code = "same_account"
    text = Text("与现在登记的账户相同", "This is the account on record already")


class ChangeWaits(Conflict):
    """Another change of this payee's account waits to be confirmed."""

    code = "bank_change_waits"
    text = Text(
        "已有一条账户变更等待确认，请先撤回它",
        "A change of this account waits to be confirmed; withdraw it first",
    )


class NotWaiting(Conflict):
    """The change was decided or withdrawn already."""

    code = "bank_change_decided"
    text = Text("这条账户变更现在是：{state}", "This change of account is now: {state}")


class TooEarly(Conflict):
    """The wait is not over."""

    code = "bank_change_too_early"
    text = Text(
        "要等到{when}才能确认，给原联系人留出时间",
        "It may be confirmed from {when} on, so that the old contact has time to answer",
    )


class NotTold(Conflict):
    """The old contact has not been told yet."""

    code = "bank_change_untold"
    text = Text(
        "原联系人还没有收到通知，请先在“待寄通知”中告知并勾选",
        "The old contact was not told yet; call or write first, and tick it at Letters",
    )


class ToldYourself(Forbidden):
    """Whoever says that the old contact was told does not confirm it too."""

    code = "bank_change_told_yourself"
    text = Text(
        "原联系人是您告知的，须由另一位同事核实确认",
        "You told the old contact; a colleague must check and confirm it",
    )


class SameHand(Forbidden):
    """Whoever asked may not confirm it."""

    code = "same_hand"
    text = Text(
        "这条变更是您提出的，须由另一位同事核实",
        "You asked for this change; a colleague must check it",
    )
