"""Why a true-up is not made, confirmed or paid."""

from __future__ import annotations

from canteen.errors import Conflict, Forbidden, Refused
from canteen.words import Text


class MonthsOpen(Refused):
    """The year has months that are not closed; only a preliminary true-up can be made."""

    code = "months_open"
    text = Text(
        "{year}年还有未结账的月份，只能做预结算",
        "Months of {year} are still open; only a preliminary true-up can be made",
    )


class StillUnderReview(Refused):
    """Statements of the year are still under review."""

    code = "year_under_review"
    text = Text(
        "还有 {count} 张结算单没有审完",
        "{count:statement of the year is|statements of the year are} still under review",
    )


class NotEvaluated(Refused):
    """Canteens of the district were not evaluated; only a preliminary true-up can be made."""

    code = "not_evaluated"
    text = Text(
        "还有 {count} 家食堂没有完成评估，只能做预结算",
        "{count:canteen was|canteens were} not evaluated; only a preliminary true-up can be made",
    )


class PreliminaryUnpaid(Refused):
    """The preliminary true-up of the year was prepared and not paid."""

    code = "preliminary_unpaid"
    text = Text(
        "预结算还没有拨付，请先办完", "The preliminary true-up is not paid yet; finish it first"
    )


class FinalStands(Refused):
    """The year has its final true-up, which counted all of it."""

    code = "final_stands"
    text = Text(
        "年终清算已复核，不能再做预结算",
        "The final true-up was confirmed; no preliminary one can follow",
    )


class NothingYet(Refused):
    """There is nothing to true up."""

    code = "nothing_yet"
    text = Text("这一年还没有可结算的金额", "There is nothing to true up for this year yet")


class TrueUpStands(Conflict):
    """It was confirmed or paid and cannot be prepared anew."""

    code = "true_up_stands"
    text = Text("已复核或已拨付，不能重做", "It was confirmed or paid and cannot be made again")


class OwnTrueUp(Forbidden):
    """Whoever prepared it cannot confirm it."""

    code = "own_true_up"
    text = Text(
        "这份清算是您编制的，须由另一位同事复核", "You prepared it; a colleague must confirm it"
    )


class OwnPayment(Forbidden):
    """Whoever prepared it cannot say that it was paid."""

    code = "own_payment"
    text = Text(
        "这份清算是您编制的，须由另一位同事登记拨付",
        "You prepared it; a colleague must note that it was paid",
    )


class SumsMoved(Conflict):
    """The statements no longer come to what it says; it is drafted anew."""

    code = "true_up_moved"
    text = Text(
        "结算单已有变动，与这份清算的金额不一致，请重新编制",
        "Statements have changed and no longer come to these sums; draft it anew",
    )


class ReferenceUsed(Conflict):
    """One transfer of the bank was noted for another true-up."""

    code = "reference_used"
    text = Text(
        "银行流水号 {reference} 已登记为另一份清算的拨付",
        "{reference} is noted as the payment of another true-up",
    )


class BadDay(Refused):
    """Money cannot have moved before it was confirmed, nor on a day that lies ahead."""

    code = "bad_paid_on"
    text = Text(
        "拨付日期须在复核日{first}和今天之间",
        "The day it was paid lies between {first}, when it was confirmed, and today",
    )


class WrongState(Conflict):
    """The act does not fit what has become of it meanwhile."""

    code = "true_up_state"
    text = Text("这份清算已有变化，请刷新", "This true-up has changed meanwhile; look again")
