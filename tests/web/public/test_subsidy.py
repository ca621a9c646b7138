"""The subsidy as anybody reads it: the policy of the day and the place, in its own numbers."""

from __future__ import annotations

from datetime import UTC, datetime

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from canteen.canteens.models import StandardSetPrice
from canteen.db import db, transaction
from tests.factories import City
from tests.web.public.conftest import ON, words


def test_it_names_who_how_much_how_often_and_the_document(
    client: FlaskClient, city: City
) -> None:
    said = words(client.get("/subsidy"))
    for part in ("天津户籍80周岁及以上", "每餐 3.00 元", "每天最多 1 次",
                 "每周（周一至周日）最多 5 次", "标准套餐价 13.00 元", "津民发〔2024〕7号",
                 "2024年5月17日(周五)起执行", "住在养老机构期间"):  # fmt: skip
        assert part in said
    assert "河西户籍" not in said


def test_a_district_adds_its_own(client: FlaskClient, city: City) -> None:
    with transaction():
        db.session.add(StandardSetPrice(
            district_code="120103", from_on=ON, price_fen=1550, set_by="user:1"
        ))  # fmt: skip
    said = words(client.get("/subsidy?district=120103"))
    assert "河西户籍70周岁及以上" in said and "标准套餐价 15.50 元" in said


def test_what_is_in_force_changes_with_the_day(
    client: FlaskClient, city: City, at: time_machine.Coordinates
) -> None:
    at.move_to(datetime(2024, 5, 16, 3, tzinfo=UTC))
    assert "可用于午餐、晚餐 " in words(client.get("/subsidy"))


def test_without_a_policy_the_page_says_so(app: Flask, client: FlaskClient) -> None:
    assert "没有执行中的补贴政策" in words(client.get("/subsidy"))
