"""The chart of accounts: whose books there are and what stands in them."""

from __future__ import annotations

from canteen.words import Text

# Books: "canteen:<id>", "purse:<territory code>" (a funder), "platform", "elders".
ACCOUNTS = {
    # a canteen's book
    "till_cash": Text("柜台现金", "Cash in the till"),
    "online_due": Text("应收线上款", "Online takings due from the platform"),
    "subsidy_due": Text("应收补贴（未结算）", "Elder subsidy advanced, not yet settled"),
    "statement_due": Text("应收结算款", "Settled and due"),
    "bank": Text("已到账", "Received in the bank"),
    "meal_sales": Text("餐费收入", "Meals sold at list price"),
    "own_discount": Text("食堂自有优惠", "The canteen's own discount"),
    "enterprise_income": Text("运营补贴收入", "Enterprise and delivery subsidy earned"),
    "denied_subsidy": Text("被核减的补贴", "Elder subsidy advanced and denied"),
    "safe": Text("保险柜", "Cash in the safe"),
    "petty_cash": Text("零星支出", "Small purchases in cash"),
    "cash_over_short": Text("长短款", "Cash over and short"),
    # a funder's book
    "elder_subsidy_cost": Text("老人补贴支出", "Elder subsidy"),
    "enterprise_subsidy_cost": Text("运营补贴支出", "Enterprise subsidy"),
    "delivery_subsidy_cost": Text("送餐补贴支出", "Delivery subsidy"),
    "statements_payable": Text("应付结算款", "Statements to pay"),
    "funds": Text("资金", "Funds paid out"),
    "due_from_city": Text("应收市级补贴", "Paid for the city, due from it"),
    "due_to_districts": Text("应付各区补贴", "Paid by districts, due to them"),
    # the platform's book
    "provider_balance": Text("支付平台余额", "Balance at the payment provider"),
    "due_to_canteens": Text("应付食堂线上款", "Online takings held for canteens"),
    # the elders' book
    "account_subsidy_income": Text("到账补贴", "Subsidy paid to account"),
}


def canteen_book(canteen_id: int) -> str:
    """The book of one canteen."""
    return f"canteen:{canteen_id}"


def purse_book(territory_code: str) -> str:
    """The book of a funder: the purse of a city, district or street."""
    return f"purse:{territory_code}"


PLATFORM = "platform"
ELDERS = "elders"
