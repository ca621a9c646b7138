"""What the desks take out: the right rows, masked, for one's own ground, and on record."""

from __future__ import annotations

import csv
import html
import io
import re
from urllib.parse import quote

import openpyxl
import pypdfium2
import pytest
import sqlalchemy as sa

from canteen.audit.models import AuditRecord
from canteen.audit.recording import breaks
from canteen.db import db
from canteen.elders.models import Elder
from canteen.papers import fonts
from canteen.settlements import printing
from canteen.settlements.models import Statement
from canteen.subsidies.models import Grant
from tests.factories import City
from tests.settlements.factories import Hands, pass_on, statement_of
from tests.web.bureau.conftest import Enter


def workbook(answer) -> openpyxl.Workbook:
    assert answer.status_code == 200, answer.text
    return openpyxl.load_workbook(io.BytesIO(answer.data), data_only=True)


def rows_of(answer) -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def recorded() -> list[AuditRecord]:
    return list(db.session.scalars(
        sa.select(AuditRecord).where(AuditRecord.act == "export").order_by(AuditRecord.id)
    ))  # fmt: skip


def test_the_list_is_taken_out_as_the_page_is_narrowed(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.city)
    everything = db.session.scalars(sa.select(Statement)).all()
    sheet = workbook(desk.post("/bureau/statements.xlsx")).active
    assert sheet.max_row == len(everything) + 2
    heads = [cell.value for cell in sheet[1]]
    total = heads.index("应付合计(元)")
    assert sheet[sheet.max_row][total].value == sum(s.total_fen for s in everything) / 100
    one = workbook(desk.post("/bureau/statements.xlsx?territory=120104&stage=operator")).active
    names = {row[2].value for row in one.iter_rows(min_row=2, max_row=one.max_row - 1)}
    assert city.here.name in names and city.elsewhere.name not in names
    lines = rows_of(desk.post("/bureau/statements.csv?period=2026-09"))
    assert len(lines) == 1
    last = recorded()[-2].detail
    assert last == {"format": "xlsx", "rows": one.max_row - 2, "territory": "120104",
                    "stage": "operator"}  # fmt: skip


def test_a_street_takes_out_its_own_ground_only(city: City, hands: Hands, enter: Enter) -> None:
    for address in ("/bureau/statements.csv", "/bureau/meals.csv?period=2026-10"):
        text = enter(hands.street).post(address).data.decode("utf-8-sig")
        assert city.here.name in text and city.elsewhere.name not in text
    foreign = statement_of(city.elsewhere).id
    for kind in ("pdf", "xlsx", "csv"):
        for who, door in ((hands.street, "bureau"), (hands.operator, "operator")):
            assert enter(who).post(f"/{door}/statements/{foreign}.{kind}").status_code == 404
    widened = enter(hands.street).post("/bureau/meals.csv?period=2026-10&territory=120103")
    assert city.elsewhere.name not in widened.data.decode("utf-8-sig")


def test_the_meals_of_a_statement_are_masked_and_sum_to_it(
    city: City, hands: Hands, enter: Enter
) -> None:
    found = statement_of(city.here)
    for enterer, door in ((hands.district, "bureau"), (hands.operator, "operator")):
        lines = rows_of(enter(enterer).post(f"/{door}/statements/{found.id}.csv"))
        heads, meals = lines[0], [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
        assert len(meals) == db.session.scalar(
            sa.select(sa.func.count()).where(
                Grant.canteen_id == city.here.id, Grant.period == found.period
            )
        )
        fen = sum(round(float(meal["老人补贴(元)"]) * 100) for meal in meals)
        assert fen == found.elder_fen and "用餐人" in heads
        text = "\n".join(meal["用餐人"] for meal in meals)
        for elder in db.session.scalars(sa.select(Elder)):
            assert elder.name not in text
        assert f"赵*平(尾号{city.elder.ric_last4})" in text


def test_a_statement_as_a_workbook_has_every_sheet_and_agrees_with_the_page(
    city: City, hands: Hands, enter: Enter
) -> None:
    found = statement_of(city.here)
    book = workbook(enter(hands.city).post(f"/bureau/statements/{found.id}.xlsx"))
    assert book.sheetnames == ["结算单", "金额", "按日", "餐次"]
    about = dict(row[:2] for row in book["结算单"].iter_rows(values_only=True))
    assert about["校验码"] == printing.code_of(found) and about["食堂"] == city.here.name
    sums = list(book["金额"].iter_rows(values_only=True))
    assert sums[-1][-1] == found.total_fen / 100
    days = list(book["按日"].iter_rows(values_only=True))
    assert days[-1][1] == sum(row[1] for row in days[1:-1]) == book["餐次"].max_row - 2


def test_a_statement_as_pdf_carries_sums_signatures_and_the_code_of_the_page(
    city: City, hands: Hands, enter: Enter
) -> None:
    found = statement_of(city.here)
    pass_on([found.id], hands, upto="street")
    desk = enter(hands.district)
    answer = desk.post(f"/bureau/statements/{found.id}.pdf")
    if answer.status_code == 422:
        assert "fonts-noto-cjk" in answer.text
        pytest.skip("no Chinese font here")
    text = pypdfium2.PdfDocument(answer.data)[0].get_textpage().get_text_bounded()
    code = printing.code_of(found)
    page = desk.get(f"/bureau/statements/{found.id}").text
    assert code in text and code in page
    assert f"{found.total_fen / 100:,.2f}" in text and "人民币" in text and "（盖章）" in text
    assert text.count("系统确认") == 2  # the operator and the street, not yet the district


def test_without_fonts_the_pdf_is_refused_with_words_and_nothing_is_recorded(
    city: City, hands: Hands, enter: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "FOLDERS", ())
    answer = enter(hands.city).post(f"/bureau/statements/{statement_of(city.here).id}.pdf")
    assert answer.status_code == 422 and "fonts-noto-cjk" in answer.text
    assert recorded() == []


def test_every_export_is_recorded_with_who_what_and_how_many(
    city: City, hands: Hands, enter: Enter
) -> None:
    found = statement_of(city.here)
    answer = enter(hands.operator).post(f"/operator/statements/{found.id}.csv")
    records = recorded()
    assert [(one.actor, one.subject, one.subject_id) for one in records] == [
        (hands.operator.label, "statement", str(found.id))
    ]
    assert records[0].detail["rows"] == len(rows_of(answer)) - 1
    assert list(breaks()) == []
    page = enter(hands.city).get(f"/bureau/statements/{found.id}").text
    assert "导出" in page


def test_a_file_is_asked_for_by_a_form_of_the_page_and_no_reading_leaves_a_trace(
    city: City, hands: Hands, enter: Enter
) -> None:
    found, desk = statement_of(city.here), enter(hands.city)
    for address in (
        "statements.csv", "meals.csv", "figures.xlsx", "figures.csv", "trail.jsonl",
        f"statements/{found.id}.pdf",
    ):  # fmt: skip
        for ask in (desk.get, desk.head):
            assert ask(f"/bureau/{address}").status_code == 405, address
    assert recorded() == []
    desk.application.config["WTF_CSRF_ENABLED"] = True
    assert desk.post("/bureau/statements.csv").status_code == 400
    page = desk.get("/bureau/statements?period=2026-10&payee=canteen").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = re.search(r'method="post" action="([^"]*statements\.csv[^"]*)" data-many', page)
    address = html.unescape(form[1])
    assert "payee=canteen" in address and recorded() == []
    assert len(rows_of(desk.post(address, data={"csrf_token": token}))) == 3
    assert recorded()[0].detail["payee"] == "canteen"


def test_files_have_chinese_names_any_browser_reads(city: City, hands: Hands, enter: Enter) -> None:
    found = statement_of(city.here)
    city.here.name = '老人/家:"食堂"'
    db.session.commit()
    answer = enter(hands.city).post(f"/bureau/statements/{found.id}.csv")
    said = answer.headers["Content-Disposition"]
    name = f"结算单_{found.id}_老人_家_食堂__2026年10月.csv"
    assert said.startswith("attachment; ") and f"filename*=UTF-8''{quote(name)}" in said
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.data)


def test_a_month_nobody_ate_in_is_headings_and_other_files_are_not_found(
    city: City, hands: Hands, enter: Enter
) -> None:
    desk = enter(hands.city)
    for query in ("?period=2019-01", "?period=x", ""):  # else the running month, which is empty
        assert len(rows_of(desk.post(f"/bureau/meals.csv{query}"))) == 1
    assert desk.post("/bureau/statements.docx").status_code == 404
    assert desk.post("/bureau/meals.pdf").status_code == 404


def test_the_code_changes_with_the_content_and_not_with_the_stage(city: City, hands: Hands) -> None:
    found = statement_of(city.here)
    before = printing.code_of(found)
    pass_on([found.id], hands, upto="street")
    assert printing.code_of(statement_of(city.here)) == before
    found.meals += 1
    assert printing.code_of(found) != before
    db.session.rollback()


def test_the_pages_offer_what_can_be_taken_out(city: City, hands: Hands, enter: Enter) -> None:
    found = statement_of(city.here)
    for who, door in ((hands.district, "bureau"), (hands.operator, "operator")):
        desk = enter(who)
        page = desk.get(f"/{door}/statements?period=2026-10").text
        assert f"/{door}/statements.xlsx?period=2026-10" in page
        assert ("/bureau/meals.csv?period=2026-10" in page) == (door == "bureau")
        page = desk.get(f"/{door}/statements/{found.id}").text
        for kind in ("pdf", "xlsx", "csv"):
            assert f"/{door}/statements/{found.id}.{kind}" in page
