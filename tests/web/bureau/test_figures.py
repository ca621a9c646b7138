"""The figures page: charts and numbers of one's own ground, narrowed as asked, taken out."""

from __future__ import annotations

import csv
import io

import openpyxl
import sqlalchemy as sa

from canteen.audit.models import AuditRecord
from canteen.db import db
from canteen.settlements import figures
from tests.factories import City
from tests.settlements.factories import Hands
from tests.web.bureau.conftest import Enter

OCTOBER = "/bureau/figures?from=2026-08&to=2026-10"


def test_the_page_draws_and_tells_the_same_numbers(city: City, hands: Hands, enter: Enter) -> None:
    page = enter(hands.city).get(OCTOBER).text
    found = figures.figures(hands.city, figures.Wanted("2026-08", "2026-10"))
    assert page.count("<figure") == 9 and page.count("<table") == 3
    assert f"补贴餐次 10月 {found.total.meals:,}" in page
    assert f">{found.total.meals:,}</td>" in page
    for word in ("<script>", "<style", "style="):
        assert word not in page


def test_an_office_sees_its_own_ground(city: City, hands: Hands, enter: Enter) -> None:
    page = enter(hands.district).get(OCTOBER).text
    assert "南开" in page and "河西" not in page
    page = enter(hands.street).get(OCTOBER).text
    assert city.here.name in page and city.elsewhere.name not in page


def test_what_cannot_be_meant_is_read_as_the_last_year(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.city)
    for query in ("", "?from=2026-13&to=x", "?from=9999-99", "?tier=9&territory=999999"):
        assert desk.get(f"/bureau/figures{query}").status_code == 200
    swapped = desk.get("/bureau/figures?from=2026-10&to=2026-08").text
    assert 'value="2026-08"' in swapped and "<figure" in swapped
    nothing = desk.get("/bureau/figures?from=2020-01&to=2020-03").text
    assert "这段时间没有补贴餐次" in nothing and "<figure" not in nothing


def test_the_numbers_are_taken_out_as_a_workbook_and_recorded(
    city: City, hands: Hands, enter: Enter
) -> None:
    answer = enter(hands.district).post(OCTOBER.replace("figures", "figures.xlsx"))
    book = openpyxl.load_workbook(io.BytesIO(answer.data), data_only=True)
    assert book.sheetnames == ["按月", "按街道（乡镇）", "按等级"]
    found = figures.figures(hands.district, figures.Wanted("2026-08", "2026-10"))
    months = list(book["按月"].iter_rows(values_only=True))
    assert [row[0] for row in months[1:]] == ["2026年8月", "2026年9月", "2026年10月", "合计"]
    assert months[-1][1] == found.total.meals
    assert months[-1][5] == found.total.subsidy_fen / 100
    record = db.session.scalars(
        sa.select(AuditRecord).where(AuditRecord.act == "export")
    ).one()  # fmt: skip
    assert (record.actor, record.subject, record.subject_id) == (
        hands.district.label, "figures", "120104",
    )


def test_a_csv_holds_the_tables_one_below_the_other(
    city: City, hands: Hands, enter: Enter
) -> None:
    answer = enter(hands.city).post(OCTOBER.replace("figures", "figures.csv") + "&tier=1")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    assert rows[0][:3] == ["口径", "名称", "补贴餐次"]
    assert {row[0] for row in rows[1:]} == {"按月", "按区", "按等级"}
    tables = figures.tables_of(figures.figures(
        hands.city, figures.Wanted("2026-08", "2026-10", tier=1)
    ))  # fmt: skip
    told = [str(row[1]) for table in tables for row in table.rows]
    assert [row[2] for row in rows[1:]] == told and max(told) != "0"
    assert "现在的等级" in enter(hands.city).get(OCTOBER).text


def test_english_readers_get_english_charts(city: City, hands: Hands, enter: Enter) -> None:
    desk = enter(hands.city)
    desk.set_cookie("lang", "en")
    page = desk.get(OCTOBER).text
    assert "Subsidised meals, by month" in page and "Findings of the checks" in page
    assert "Nankai" in page and "The numbers" in page
