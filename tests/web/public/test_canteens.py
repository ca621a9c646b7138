"""Anybody finds a canteen, its week and its sign; a closed one says why and where to go."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from canteen.canteens.models import Canteen, Closure, ListingChange
from canteen.db import db, transaction
from canteen.menus.models import MenuItem
from canteen.performance.models import Scorecard
from tests.factories import LONG_AGO, City, make_canteen, make_menu
from tests.web.public.conftest import ON, words

SMALL = 60_000


def take_down(canteen: Canteen, status: str = "delisted", reason: str = "idle") -> None:
    """Take a sign down a month ago."""
    with transaction():
        row = db.session.get_one(Canteen, canteen.id)
        row.status, row.status_since = status, date(2026, 10, 12)
        db.session.add(ListingChange(
            canteen_id=canteen.id, from_status="listed", to_status=status, reason_code=reason,
            reason="内部核查记录", decided_by="user:1", at=LONG_AGO, facts={},
        ))  # fmt: skip


def test_a_passer_by_starts_at_the_list(client: FlaskClient, city: City) -> None:
    start = client.get("/")
    assert start.status_code == 303 and start.location == "/canteens"
    page = client.get("/canteens")
    said = words(page)
    for part in (city.here.name, city.elsewhere.name, "南开区", "某街 1 号", "02200000000",
                 "挂牌营业", "一类食堂", "现在是午餐", "10:00", "菜0 15.00"):  # fmt: skip
        assert part in said
    assert 'href="/sign-in"' in page.text and "/language/en" in page.text


def test_the_list_is_narrowed_by_district_and_words(client: FlaskClient, city: City) -> None:
    there = words(client.get("/canteens?district=120103"))
    assert city.elsewhere.name in there and city.here.name not in there
    found = words(client.get(f"/canteens?text={city.here.name}"))
    assert city.here.name in found and city.elsewhere.name not in found
    assert "没有找到食堂" in words(client.get("/canteens?text=没有这个"))
    assert city.here.name in words(client.get("/canteens?district=999999&page=zz"))


def test_many_canteens_come_by_light_pages(client: FlaskClient, city: City) -> None:
    with transaction():
        for _ in range(43):
            make_canteen("120104001")
    pages = [client.get(f"/canteens?page={number}") for number in (1, 2, 3)]
    assert [page.text.count("place-card") for page in pages] == [20, 20, 5]
    assert all(len(page.data) < SMALL for page in pages)
    assert "共 45 条，第 1 / 3 页" in words(pages[0])
    assert client.get("/canteens?page=99").text.count("place-card") == 5


def test_a_page_costs_the_same_queries_however_many_canteens(
    client: FlaskClient, city: City
) -> None:
    def queries(url: str) -> int:
        seen: list[str] = []
        note = lambda *call: seen.append(call[2])  # noqa: E731
        sa.event.listen(db.engine, "before_cursor_execute", note)
        client.get(url)
        sa.event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    few = queries("/canteens")
    with transaction():
        for _ in range(10):
            make_menu(make_canteen("120104001"), ON)
    assert queries("/canteens") == few <= 8


def test_between_meals_the_next_one_is_named_and_after_the_last_the_hours(
    client: FlaskClient, city: City, at: time_machine.Coordinates
) -> None:
    with transaction():
        make_menu(city.here, ON, "dinner")
    at.shift(timedelta(hours=4))
    assert "下一餐：晚餐" in words(client.get("/canteens?district=120104"))
    at.shift(timedelta(hours=6))
    evening = words(client.get("/canteens?district=120104"))
    assert "下一餐" not in evening and "早餐 06:00–09:00" in evening


def test_a_canteen_shows_its_week_with_prices_marks_and_what_is_left(
    client: FlaskClient, city: City
) -> None:
    with transaction():
        make_menu(city.here, ON + timedelta(days=3), "dinner", prices=(1800,))
        make_menu(city.here, ON + timedelta(days=7), "dinner", prices=(9900,))
        db.session.get_one(MenuItem, city.items[1].id).sold_out = True
        db.session.add(Closure(canteen_id=city.here.id, on=ON + timedelta(days=1), reason="检修"))
        db.session.add(Scorecard(
            canteen_id=city.here.id, on=date(2026, 9, 1), scheme="s", score_bp=8765, grade="good",
            facts={},
        ))  # fmt: skip
    page = client.get(f"/canteens/{city.here.id}")
    said = words(page)
    for part in ("菜0 软烂 15.00", "菜1 软烂 已售完 3.00", "18.00", "11月21日(周六)休息（检修）",
                 "良好 · 87.7 分", "60 岁起减 10%", "标准套餐 13.00", "02200000000"):  # fmt: skip
        assert part in said.replace("( ", "(") or part in said
    assert "99.00" not in said  # the week after is not out yet
    assert len(page.data) < SMALL


@pytest.mark.parametrize(("status", "word"), [("delisted", "已摘牌"), ("suspended", "暂停服务")])
def test_a_sign_taken_down_says_since_when_why_and_where_to_go(
    client: FlaskClient, city: City, status: str, word: str
) -> None:
    with transaction():
        near = make_canteen("120104001", name="隔壁食堂")
        make_canteen("120103001", name="外区食堂")
    take_down(city.here, status)
    page = words(client.get(f"/canteens/{city.here.id}"))
    assert f"2026年10月12日(周一)起{word}，现在不供餐" in page
    assert "原因：挂牌不营业。" in page and near.name in page
    assert "外区食堂" not in page and "本周菜单" not in page
    assert "内部核查记录" not in page  # the officer's own words stay in the bureau
    assert city.here.name not in words(client.get("/canteens"))
    gone = words(client.get("/canteens?sign=gone"))
    assert city.here.name in gone and near.name not in gone


def test_where_nothing_else_serves_the_whole_city_is_offered(
    client: FlaskClient, city: City
) -> None:
    take_down(city.here)
    assert "请看全市名单" in words(client.get(f"/canteens/{city.here.id}"))


def test_a_warned_canteen_serves_on_and_says_so(client: FlaskClient, city: City) -> None:
    take_down(city.here, "warned", "complaints")
    page = words(client.get(f"/canteens/{city.here.id}"))
    assert "整改中(投诉属实)，照常供餐" in page and "菜0" in page


@pytest.mark.parametrize("status", ["applied", "under_review", "public_notice"])
def test_a_canteen_never_listed_is_not_shown(
    client: FlaskClient, city: City, status: str
) -> None:
    with transaction():
        other = make_canteen(status=status)
    assert client.get(f"/canteens/{other.id}").status_code == 404
    assert other.name not in words(client.get("/canteens?sign=all"))


def test_a_page_may_be_kept_but_is_asked_for_anew(client: FlaskClient, city: City) -> None:
    first = client.get("/canteens")
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert "Cookie" in first.headers["Vary"] and "Set-Cookie" not in first.headers
    again = client.get("/canteens", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    take_down(city.here)
    changed = client.get("/canteens", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200 and city.here.name not in words(changed)


def test_the_pages_speak_english(client: FlaskClient, city: City) -> None:
    client.set_cookie("lang", "en")
    assert "Lunch now" in words(client.get("/canteens"))
    take_down(city.elsewhere)
    page = words(client.get(f"/canteens/{city.elsewhere.id}"))
    assert "Delisted since Mon 12 Oct 2026" in page and "Reason: Listed but idle." in page


def test_a_number_no_database_knows_is_not_found(app: Flask, client: FlaskClient) -> None:
    assert client.get("/canteens/999999999").status_code == 404
    assert client.get(f"/canteens/{2**70}").status_code == 404
