"""What a reconciliation finds: sums that agree, things that do not, and what to do about each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from canteen.words import Text

ASKED = "transfer.asked"
HEARD = ("transfer.created", "transfer.reversed")
# What does not agree, what it means, and what to do; the gravest first.
PROBLEMS: dict[str, tuple[Text, Text]] = {
    "paid_at_provider": (
        Text("平台说已付，我们还没有记", "Paid at the provider, not noted here"),
        Text("点“现在问平台”", "Ask the provider now"),
    ),
    "amount_unlike": (
        Text("金额不一致", "The amounts differ"),
        Text("停止后续付款，与平台核对这一笔", "Stop, and settle this one with the provider"),
    ),
    "came_back": (
        Text("平台说已退回，我们记为已付", "Sent back at the provider, paid here"),
        Text("点“现在问平台”", "Ask the provider now"),
    ),
    "paid_without_entry": (
        Text("已付款但账本没有", "Paid, but not in the books"),
        Text("运行 canteen verify，交技术人员", "Run canteen verify; a technician must look"),
    ),
    "entry_without_payment": (
        Text("账本有、但没有付款", "In the books, but not paid"),
        Text("运行 canteen verify，交技术人员", "Run canteen verify; a technician must look"),
    ),
    "no_message": (
        Text("放行了却没有发出记录", "Released, but no order to send it"),
        Text("运行 canteen verify，交技术人员", "Run canteen verify; a technician must look"),
    ),
    "unclear": (
        Text("不知道是否到账", "Nobody knows whether it arrived"),
        Text("点“现在问平台”，或在付款页点“查询”", "Ask the provider, or look it up at Payouts"),
    ),
    "no_event": (
        Text("已付款，平台没有通知", "Paid, but the provider's notice is missing"),
        Text("点“现在问平台”", "Ask the provider now"),
    ),
    "waiting_long": (
        Text("发出已久，没有结果", "Sent long ago, no result"),
        Text("平台：现在问；银行：索取回盘文件", "Ask the provider, or the bank for its file"),
    ),
    "failed": (
        Text("失败，等待处理", "Failed, to be decided"),
        Text("查明原因，在付款页重新办理", "See why, then let it go on at Payouts"),
    ),
    "unbatched": (
        Text("已批准，没有编入过付款批次", "Approved, never put into a batch"),
        Text("在付款批次里编制", "Put it into a batch"),
    ),
    "charge_unlike": (
        Text("就餐人付款与平台通知不一致", "A diner's payment differs"),
        Text("与平台核对这一笔", "Settle this one with the provider"),
    ),
    "refund_unlike": (
        Text("退给就餐人的款与平台通知不一致", "A diner's refund differs"),
        Text("与平台核对这一笔", "Settle this one with the provider"),
    ),
    "refund_waiting": (
        Text("退给就餐人的款还没有结果", "A diner's refund has no result"),
        Text("运行 canteen outbox --show，看原因", "Run canteen outbox --show for the reason"),
    ),
    "repaid_without_entry": (
        Text("登记了退款，账本没有或金额不一致", "Paid back, not so in the books"),
        Text("运行 canteen verify，交技术人员", "Run canteen verify; a technician must look"),
    ),
    "true_up_unlike": (
        Text("年度清算与账本不一致", "A true-up and the books differ"),
        Text("运行 canteen verify，交技术人员", "Run canteen verify; a technician must look"),
    ),
    "bank_unmatched": (
        Text("银行回盘里对不上的行", "A bank's row matches nothing"),
        Text("打开该回盘文件，向银行查询", "Open that file, and ask the bank"),
    ),
    "foreign_charge": (
        Text("平台通知的收款不是我们的", "A payment that is not ours"),
        Text("向平台查询来历", "Ask the provider where it comes from"),
    ),
    "foreign_refund": (
        Text("平台通知的退款不是我们的", "A refund that is not ours"),
        Text("向平台查询来历", "Ask the provider where it comes from"),
    ),
    "reversal_alone": (
        Text("账本冲正了付款，却没有退回", "Taken back in the books only"),
        Text("运行 canteen verify，交技术人员", "Run canteen verify; a technician must look"),
    ),
    "foreign_event": (
        Text("平台通知的转账不是我们的", "A transfer that is not ours"),
        Text("向平台查询这笔转账的来历", "Ask the provider where it comes from"),
    ),
    "entry_alone": (
        Text("账本的付款没有对应款项", "A payment in the books of no payout"),
        Text("运行 canteen verify，交技术人员", "Run canteen verify; a technician must look"),
    ),
}

OWN_WORK = ("failed", "unbatched")
# What others' books say and ours need not: closed by a reason, see `explaining`.
EXPLAINABLE = ("bank_unmatched", "foreign_event", "foreign_charge", "foreign_refund")


@dataclass(frozen=True)
class Mismatch:
    """One thing that does not agree; amounts in fen, None where there is none."""

    problem: str
    payout_id: int | None
    batch_id: int | None
    statement_id: int | None
    payee: str
    payee_en: str
    amount_fen: int | None
    other_fen: int | None
    reference: str
    at: datetime | None
    return_id: int | None = None


@dataclass(frozen=True)
class Side:
    """How many of something, and what they come to in fen."""

    count: int = 0
    fen: int = 0


@dataclass(frozen=True)
class Reconciled:
    """A range of days laid side by side; `asked` are those confirmed by our question only."""

    first: date
    last: date
    lines: Side
    paid: Side
    sent: Side
    confirmed: Side
    asked: Side
    by_bank: Side
    booked: Side
    waiting: Side
    problems: dict[str, Side]
    mismatches: list[Mismatch]

    @property
    def agrees(self) -> bool:
        """Whether nothing is left to look at."""
        return not self.problems

    @property
    def open(self) -> int:
        """How many things do not agree, but for those that have lines of their own in the work
        list: payouts that failed or wait for a batch."""
        return sum(side.count for code, side in self.problems.items() if code not in OWN_WORK)

    def along_with(self, more: list[Mismatch]) -> Reconciled:
        """The same with more that does not agree, the gravest first."""
        problems = dict(self.problems)
        for one in more:
            side = problems.get(one.problem, Side())
            problems[one.problem] = Side(side.count + 1, side.fen + (one.amount_fen or 0))
        order = list(PROBLEMS)
        return replace(
            self, problems={code: problems[code] for code in order if code in problems},
            mismatches=sorted(
                [*self.mismatches, *more], key=lambda one: order.index(one.problem)
            ),
        )
