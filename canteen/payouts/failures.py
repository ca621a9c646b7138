"""Why a payout failed, in words people read: one table for what providers and programs say."""

from __future__ import annotations

import re

from canteen.settlements.paying_out import NO_ACCOUNT
from canteen.words import Text

# By the provider's code, or by the sentence one of our own programs wrote.
WORDS = {
    NO_ACCOUNT: Text("没有登记收款账户", "no account is on file"),
    "account_closed": Text("收款账户已注销", "the account is closed"),
    "account_frozen": Text("收款账户被冻结", "the account is frozen"),
    "account_invalid": Text("收款账户无效", "the account is not valid"),
    "balance_insufficient": Text("付款方余额不足", "the payer's balance does not suffice"),
    "bank_account_restricted": Text("收款账户被限制收款", "the account may not receive money"),
    "declined": Text("银行拒收", "the bank declined it"),
    "incorrect_account_holder_name": Text("户名与账号不符", "the holder's name does not match"),
    "invalid_account_number": Text("收款账号有误", "the account's number is wrong"),
    "no_account": Text("收款账户不存在", "there is no such account"),
    "resource_missing": Text("收款账户不存在", "there is no such account"),
    "transfer failed": Text("没有付成，对方没有说明原因", "it failed; no reason was given"),
    "transfer reversed": Text("款项被退回", "the money was sent back"),
}
NO_ANSWER = Text("支付平台一直没有答复", "the provider never answered")
REFUSED = Text("支付平台没有接受", "the provider refused it")
CHINESE = re.compile("[\u3400-\u9fff]")


def why(failure: str | None) -> Text:
    """What a payout's failure means. A bank's own Chinese words stay as they are; of what is not
    in the table a Chinese reader is told that it was refused, an English one the words."""
    said = (failure or "").strip()
    if said.startswith("down:"):
        return NO_ANSWER
    said = said.removeprefix("refused:").strip()
    known = WORDS.get(said) or WORDS.get(said.partition(":")[0].strip())
    if known:
        return known
    if CHINESE.search(said):
        return Text(said, said)
    return Text(REFUSED.zh, said or REFUSED.en)
