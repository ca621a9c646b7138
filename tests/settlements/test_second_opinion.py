"""A closing computed a second time in another way: every sum again with pandas, from the rows."""

from __future__ import annotations

import pandas as pd
import pytest
import sqlalchemy as sa
from flask import Flask

from canteen.db import db, transaction
from canteen.orders.models import Order
from canteen.settlements.models import Statement, StatementLine
from tests.factories import make_canteen, make_city, make_elder
from tests.settlements.factories import (
    OCTOBER,
    add_grants,
    add_taking,
    close,
    make_funding,
)

SIDES = ["elder_fen", "account_fen", "enterprise_fen", "delivery_fen"]


@pytest.fixture
def month(app: Flask) -> None:
    """3,000 meals at seven canteens, of every kind of funding, some taken back, some online."""
    city = make_city()
    with transaction():
        canteens = [city.here.id, city.elsewhere.id]
        canteens += [make_canteen(f"12010{3 + n % 2}00{1 + n % 2}").id for n in range(5)]
        elders = [city.elder.id, *(make_elder(street="120103002").id for _ in range(11))]
        fundings = [
            make_funding({("elder", "city"): 150, ("elder", "district"): 150,
                          ("enterprise", "city"): 100, ("enterprise", "district"): 100}),
            make_funding({("elder", "city"): 301, ("elder", "district"): 299,
                          ("elder", "street"): 77, ("delivery", "district"): 200}),
            make_funding({("elder", "district"): 333, ("enterprise", "street"): 81}, account=True),
            make_funding({("elder", "city"): 1, ("delivery", "street"): 3}, account=True),
            make_funding({("enterprise", "city"): 80}),
        ]  # fmt: skip
        menu = city.items[0].menu_id
        add_grants(2500, canteens, elders, fundings, menu, OCTOBER, seed=7, taken_back=0.2)
        add_grants(500, canteens, elders, fundings, menu, "2026-11", seed=8, taken_back=0.9)
        orders = db.session.execute(
            sa.select(Order.id, Order.canteen_id).where(Order.id % 17 == 0)
        ).all()
        for number, (order_id, canteen_id) in enumerate(orders):
            period = OCTOBER if number % 3 else "2026-11"
            add_taking(order_id, canteen_id, 1000 + number, period, 1000 if number % 4 == 0 else 0)
    close()


def frame(query: str) -> pd.DataFrame:
    with db.engine.connect() as connection:
        return pd.read_sql(sa.text(query), connection)


def test_pandas_comes_to_the_same_statements(month: None) -> None:
    grants = frame(f"SELECT * FROM grants WHERE period = '{OCTOBER}'")
    charges = frame(f"SELECT * FROM charges WHERE period = '{OCTOBER}' AND state = 'succeeded'")
    refunds = frame(f"SELECT * FROM refunds WHERE period = '{OCTOBER}'")
    by_canteen = grants.groupby("canteen_id").agg(
        meals=("sign", "sum"), elder_fen=("till_fen", "sum"),
        enterprise_fen=("enterprise_fen", "sum"), delivery_fen=("delivery_fen", "sum"),
    )  # fmt: skip
    by_canteen["online_fen"] = (
        charges.groupby("canteen_id")["amount_fen"].sum()
        .sub(refunds.groupby("canteen_id")["amount_fen"].sum(), fill_value=0)
        .reindex(by_canteen.index, fill_value=0)
    )  # fmt: skip
    by_canteen["account_fen"] = 0
    columns = ["meals", *SIDES, "online_fen", "total_fen"]
    by_canteen["total_fen"] = by_canteen[[*SIDES, "online_fen"]].sum(axis=1)
    ours = frame("SELECT * FROM statements WHERE payee = 'canteen'").set_index("canteen_id")
    pd.testing.assert_frame_equal(
        ours[columns].sort_index().astype(int), by_canteen[columns].sort_index().astype(int),
        check_names=False,
    )  # fmt: skip
    paid_later = grants[grants["account_fen"] != 0]
    by_elder = paid_later.groupby("elder_id").agg(
        meals=("sign", "sum"), account_fen=("account_fen", "sum")
    )
    by_elder = by_elder[by_elder["account_fen"] != 0]
    elders = frame("SELECT * FROM statements WHERE payee = 'elder'").set_index("elder_id")
    pd.testing.assert_frame_equal(
        elders[["meals", "account_fen"]].sort_index().astype(int), by_elder.astype(int),
        check_names=False,
    )  # fmt: skip
    assert (elders["total_fen"] == elders["account_fen"]).all()


def test_pandas_comes_to_the_same_split_by_funder(month: None) -> None:
    grants = frame(f"SELECT * FROM grants WHERE period = '{OCTOBER}'")
    shares = frame("SELECT * FROM funding_shares")
    canteens = frame("SELECT id AS canteen_id, street_code, district_code FROM canteens")
    elders = frame("SELECT id AS elder_id, street_code FROM elders")
    each = grants.merge(shares, on="funding_id")
    each["amount_fen"] *= each["sign"]
    each = each.merge(canteens, on="canteen_id").merge(
        elders, on="elder_id", suffixes=("", "_of_elder")
    )
    to_elder = (each["side"] == "elder") & (each["account_fen"] != 0)
    each["payee"] = to_elder.map({True: "elder", False: "canteen"})
    each["who"] = each["canteen_id"].where(~to_elder, each["elder_id"])
    street = each["street_code"].where(~to_elder, each["street_code_of_elder"])
    each["purse"] = "120000"
    each.loc[each["funder"] == "district", "purse"] = street.str[:6]
    each.loc[each["funder"] == "street", "purse"] = street
    keys = ["payee", "who", "side", "funder", "purse"]
    expected = each.groupby(keys)["amount_fen"].sum()
    with db.engine.connect() as connection:
        ours = pd.DataFrame(
            connection.execute(
                sa.select(
                    Statement.payee,
                    sa.func.coalesce(Statement.canteen_id, Statement.elder_id).label("who"),
                    StatementLine.side, StatementLine.funder,
                    StatementLine.territory_code.label("purse"), StatementLine.amount_fen,
                ).join(Statement, Statement.id == StatementLine.statement_id)
            ).all()
        )  # fmt: skip
    pd.testing.assert_series_equal(
        ours.set_index(keys)["amount_fen"].sort_index().astype(int),
        expected.sort_index().astype(int),
    )
