"""Drafts at the desk: written by one, tried on past meals, published by another."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import openpyxl
import pytest
import sqlalchemy as sa
import time_machine
from flask.testing import FlaskClient

from canteen import background
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.subsidies.models import Grant, PolicyDraft
from canteen.subsidies.policies import SHIPPED
from canteen.subsidies.publishing import in_force
from canteen.tasks.models import Task
from canteen.territory.actors import Actor
from tests.factories import City, actor, make_user
from tests.settlements.factories import at_noon

Enter = Callable[[Actor], FlaskClient]
NEW_YEAR = date(2027, 1, 1)
OCTOBER = date(2026, 10, 1)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """A day of November, when a draft for the new year is still ahead of its time."""
    with time_machine.travel(at_noon(date(2026, 11, 20))):
        yield


def office(role: str, ground: str) -> Actor:
    """One more person of an office."""
    with transaction():
        return actor(make_user(role, territory_code=ground))


def form_of(page: str) -> dict[str, str]:
    """What the form of numbers holds: every field with its value."""
    inner = page.split('id="write"', 1)[1].split("</form>", 1)[0]
    found = re.findall(r'name="([^"]+)" value="([^"]*)"', inner)
    return {name: value for name, value in found if name != "csrf_token"}


def written(client: FlaskClient, **changes: str) -> str:
    """The address of a draft with some numbers changed."""
    url = client.post("/bureau/drafts", data={"from": "in_force"}).location
    named = {"in_force_from": "2027-01-01", "document": "津民发〔2026〕9号"}
    form = form_of(client.get(url).text) | named | changes
    answer = client.post(url, data=form)
    assert answer.status_code == 303, answer.text
    return url


def four_from_75(client: FlaskClient) -> str:
    """The draft of the example."""
    return written(
        client, **{"eligibility.0.min_age": "75", "layers.0.amount.fen": "4", "note": "75岁起4元"}
    )


def test_a_draft_is_written_by_one_and_published_by_another(city: City, enter: Enter) -> None:
    one, other = office("city", "120000"), office("city", "120000")
    writer, publisher = enter(one), enter(other)
    url = four_from_75(writer)
    assert f'action="{url}/proposal"' in writer.get(url).text
    page = writer.get(url).text
    assert "每餐 3.00 元(市级 50%、区级 50%)" in page
    assert "每餐 4.00 元(市级 50%、区级 50%)" in page
    assert "天津户籍75周岁及以上" in page
    assert writer.post(url, data=form_of(page) | {"document": "文号待定"}).status_code == 303
    unnamed = writer.post(f"{url}/proposal")
    assert unnamed.status_code == 422 and 'href="#document"' in unnamed.text
    assert writer.post(url, data=form_of(page)).status_code == 303
    assert writer.post(f"{url}/proposal").status_code == 303
    own = writer.post(f"{url}/publication", data={"seen": "x", "in_force_from": "2027-01-01"})
    assert own.status_code == 403
    assert "须由另一位同事发布" in own.text
    assert 'name="seen"' not in writer.get(url).text
    seen = re.search(r'name="seen" value="(\w+)"', publisher.get(url).text)
    assert seen
    answer = publisher.post(
        f"{url}/publication", data={"seen": seen[1], "in_force_from": "2027-01-01"}
    )
    assert answer.status_code == 303
    assert "已由" in publisher.get(url).text
    assert in_force("120104", NEW_YEAR).policy.layers[0].amount.fen == 400  # type: ignore[union-attr]
    before = in_force("120104", NEW_YEAR - timedelta(days=1)).id
    assert "2026年12月31日" in publisher.get(f"/bureau/policies/{before}").text


def test_a_wrong_number_is_named_and_nothing_is_lost(city: City, enter: Enter) -> None:
    client = enter(office("city", "120000"))
    url = client.post("/bureau/drafts", data={"from": "in_force"}).location
    form = form_of(client.get(url).text)
    for name, value, said in (
        ("layers.0.funders.0.share_bp", "60", "各方比例之和为 11000"),
        ("layers.0.amount.fen", "three", "不是有效金额"),
        ("eligibility.0.min_age", "200", "：须在 0 至 130 之间"),
        ("caps.per_week", "0", "须在 1 至 1000 之间"),
        ("layers.0.funders.0.share_bp", "x", "请填写百分数"),
        ("in_force_from", "", "请选择日期"),
    ):
        answer = client.post(url, data=form | {name: value, "note": "留着"})
        assert answer.status_code == 422, name
        assert said in answer.text
        assert 'value="留着"' in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_an_empty_form_begins_no_draft_and_changes_none(city: City, enter: Enter) -> None:
    client = enter(office("city", "120000"))
    for form in ({}, {"from": ""}, {"from": "nothing"}, {"from": "file"}):
        answer = client.post("/bureau/drafts", data=form)
        assert answer.status_code == 422 and "政策文件" in answer.text, form
    assert db.session.scalars(sa.select(PolicyDraft)).all() == []
    url = client.post("/bureau/drafts", data={"from": "in_force"}).location
    same = client.get(url).text
    assert f'action="{url}/proposal"' not in same, "nothing to hand in yet"
    assert "与现行政策相同，没有可发布的改动" in same
    client.post(url, data=form_of(client.get(url).text) | {"document": "津民发〔2026〕9号"})
    refused = client.post(f"{url}/proposal")
    assert refused.status_code == 422 and 'href="#changes"' in refused.text
    form = form_of(client.get(url).text) | {"in_force_from": "2027-01-01"}
    before = db.session.scalars(sa.select(PolicyDraft.body)).one()
    db.session.rollback()
    for name in form:
        if name == "note":
            continue
        left_out = {key: value for key, value in form.items() if key != name}
        answer = client.post(url, data=left_out)
        assert answer.status_code == 422 and f'href="#{name}"' in answer.text, name
    assert client.post(url, data={}).status_code == 422
    assert db.session.scalars(sa.select(PolicyDraft.body)).one() == before


def test_a_file_begins_a_draft_and_a_broken_one_is_explained(city: City, enter: Enter) -> None:
    client = enter(office("district", "120103"))
    text = (SHIPPED / "tianjin-hexi.toml").read_text().replace("V2020", "V2027")

    def send(raw: bytes) -> tuple[int, str]:
        data = {"from": "file", "file": (io.BytesIO(raw), "draft.toml")}
        answer = client.post("/bureau/drafts", data=data)
        return answer.status_code, answer.text

    assert send(text.encode())[0] == 303
    status, page = send(text.replace("min_age = 70", 'min_age = "x"').encode())
    assert (status, "eligibility[0].min_age：" in page) == (422, True)
    assert send(b"\xff\xfe")[0] == 422
    for nothing in (b"", b"a = " + b"[" * 20_000, b"{a=" * 5_000, b"x = " + b"{a=" * 5_000):
        assert send(nothing)[0] == 422
    assert send(text.replace('"120103"', '"120104"').encode())[0] == 403
    row = db.session.scalars(sa.select(PolicyDraft)).one()
    assert client.get(f"/bureau/drafts/{row.id}").status_code == 200
    changed = text.replace("fen = 300", "fen = 350")
    answer = client.post(
        f"/bureau/drafts/{row.id}",
        data={"from": "file", "file": (io.BytesIO(changed.encode()), "draft.toml")},
    )
    assert answer.status_code == 303
    assert "3.50" in client.get(f"/bureau/drafts/{row.id}").text


def test_a_draft_given_up_stays_on_the_list(city: City, enter: Enter) -> None:
    client = enter(office("city", "120000"))
    url = four_from_75(client)
    assert client.post(f"{url}/proposal").status_code == 303
    assert client.post(f"{url}/return").status_code == 303
    assert client.post(f"{url}/withdrawal").status_code == 303
    assert client.post(f"{url}/proposal").status_code == 409
    assert "75岁起4元" in client.get("/bureau/drafts").text
    assert "75岁起4元" not in client.get("/bureau/drafts/what-if").text


def test_the_street_makes_no_policies(city: City, enter: Enter) -> None:
    client = enter(city.extra["hands"].street)
    assert client.get("/bureau/drafts").status_code == 403
    assert "/bureau/drafts" not in client.get("/bureau/policies").text


def counted(client: FlaskClient, *drafts: str, **changes: str) -> str:
    """The page of a replay of these drafts over October, once a worker has done it."""
    ids = [url.rsplit("/", 1)[1] for url in drafts]
    wish = {"draft": ids, "first": "2026-10-01", "last": "2026-10-31", "territory": "120000"}
    answer = client.post("/bureau/drafts/what-if", data=wish | changes)
    assert answer.status_code == 303, answer.text
    task_id = background.run_tasks()
    page = client.get(f"/bureau/drafts/what-if/{task_id}")
    assert page.status_code == 200
    assert f'href="/bureau/drafts/what-if/{task_id}"' in client.get(answer.location).text
    return page.text


def test_a_draft_is_tried_on_the_meals_of_a_month(city: City, enter: Enter) -> None:
    client = enter(office("city", "120000"))
    page = counted(client, four_from_75(client))
    for section in ("by_month", "by_funder", "by_district", "by_band", "by_tier"):
        part = page.split(f'id="{section}"', 1)[1].split("</section>", 1)[0]
        assert "<svg" in part and "<table" in part
    assert "75岁起4元" in page
    meals = db.session.scalar(
        sa.select(sa.func.sum(Grant.sign)).where(Grant.on.between(OCTOBER, OCTOBER.replace(day=31)))
    )
    totals = page.split('id="totals"', 1)[1].split("</table>", 1)[0]
    assert meals and f">{meals}</td>" in totals.replace(",", "")
    assert city.elder.name not in page, "sums, never names"
    assert "两种政策下都没有补贴" not in page
    db.session.rollback()
    with transaction() as session:
        task = session.scalars(sa.select(Task)).one()
        task.result = task.result | {"elders": task.result["elders"] + 3}
        task_id = task.id
    page = client.get(f"/bureau/drafts/what-if/{task_id}").text
    assert "另有 3 位老人在两种政策下都没有补贴" in page


def test_two_drafts_stand_side_by_side_in_english_too(city: City, enter: Enter) -> None:
    client = enter(office("city", "120000"))
    less = written(client, **{"layers.0.amount.fen": "2.5", "note": "Less"})
    client.post("/language/en")
    page = counted(client, four_from_75(client), less)
    assert page.count('<th scope="col" class="number">Less</th>') == 6
    assert page.count('id="people-') == 2


def test_a_district_tries_its_overlay_on_its_own_ground(city: City, enter: Enter) -> None:
    client = enter(office("district", "120104"))
    url = written(client, **{"eligibility.0.min_age": "70", "note": "南开扩面"})
    counted(client, url, territory="120104")
    wish = {"draft": url.rsplit("/", 1)[1], "first": "2026-10-01", "last": "2026-10-31"}
    for wrong in ({"territory": "120103"}, {"territory": "120000"}, {"territory": "x"}):
        answer = client.post("/bureau/drafts/what-if", data=wish | wrong)
        assert answer.status_code == 404
    for wrong, said in (
        ({"last": "2026-09-01"}, "结束日期早于开始日期"), ({"first": "x"}, "请选择日期"),
        ({"first": "2020-01-01"}, "一次最多试算2年；更长的请管理员在服务器上用 canteen what-if"),
        ({"first": "2027-01-01", "last": "2027-01-31"}, "还没有到"),
        ({"first": "0001-01-01"}, '<a href="#first">开始日期：年份须在 2000 至'),
        ({"draft": ["1", "2", "3"]}, "一至2份草案"), ({"draft": []}, "一至2份草案"),
        ({"draft": str(2**63)}, "一至2份草案"), ({"draft": "9" * 20}, "一至2份草案"),
    ):
        answer = client.post("/bureau/drafts/what-if", data=wish | {"territory": "120104"} | wrong)
        assert answer.status_code == 422
        assert said in answer.text
    assert client.get(f"/bureau/drafts/what-if?draft={'9' * 5_000}").status_code == 200


def test_a_result_is_its_offices_and_says_when_the_draft_changed_since(
    city: City, enter: Enter
) -> None:
    client = enter(office("city", "120000"))
    url = four_from_75(client)
    less = written(client, **{"layers.0.amount.fen": "2.5", "note": "少一些"})
    counted(client, url, less)
    result = f"/bureau/drafts/what-if/{db.session.scalar(sa.select(sa.func.max(Task.id)))}"
    link = f'href="{result}"'
    assert client.post(f"{url}/proposal").status_code == 303
    colleague, stranger = enter(office("city", "120000")), enter(office("district", "120104"))
    publishing = colleague.get(url).text.split('id="publish"', 1)[1].split("</section>", 1)[0]
    assert link in publishing and "之后改过" not in publishing
    assert link in colleague.get("/bureau/drafts").text
    page = colleague.get(result).text
    assert "改过内容" not in page
    again = re.search(r'href="(/bureau/drafts/what-if\?[^"]+)"', page)
    assert again and all(f"draft={each.rsplit('/', 1)[1]}" in again[1] for each in (url, less))
    assert colleague.get(f"/bureau/tasks/{result.rsplit('/', 1)[1]}").status_code == 404
    assert stranger.get(result).status_code == 404
    assert stranger.post(f"{result}.xlsx").status_code == 404
    client.post(less, data=form_of(client.get(less).text) | {"document": "津民发〔2026〕8号"})
    assert "改过内容" not in client.get(result).text, "its number is not what was tried"
    client.post(less, data=form_of(client.get(less).text) | {"layers.0.amount.fen": "2"})
    assert "“少一些”在这次试算之后改过内容" in client.get(result).text
    assert "“75岁起4元”在" not in client.get(result).text
    assert "草案之后改过" in client.get(less).text
    assert "之后改过" in colleague.get("/bureau/drafts").text
    tasks = client.get("/bureau/tasks").text
    assert "政策试算 75岁起4元、少一些，2026年10月1日(周四)至2026年10月31日(周六)" in tasks


def test_a_result_is_taken_out_as_a_workbook(city: City, enter: Enter) -> None:
    client = enter(office("city", "120000"))
    page = counted(client, four_from_75(client))
    task = db.session.scalars(sa.select(Task)).one()
    now, then = task.result["outcomes"]
    book = openpyxl.load_workbook(
        io.BytesIO(client.post(f"/bureau/drafts/what-if/{task.id}.xlsx").data)
    )
    assert book.sheetnames == [
        "说明", "一共", "按月", "按出资方", "按区", "按年龄", "按食堂等级", "受益与受损"
    ]
    rows = {row[0]: row for row in book["一共"].iter_rows(values_only=True)}
    for name, outcome in (("现行政策", now), ("75岁起4元", then)):
        total = outcome["total"]
        assert rows[name][1] == total["meals"]
        assert round(rows[name][6] * 100) == total["total_fen"]
    for sheet, code in (("按区", "by_district"), ("按年龄", "by_band"), ("按食堂等级", "by_tier")):
        rows = list(book[sheet].iter_rows(min_row=2, max_col=4, values_only=True))[:-1]
        for column, outcome in ((1, now), (3, then)):
            meals = [sums["meals"] for _, sums in sorted(outcome[code].items())]
            assert sorted(filter(None, (row[column] for row in rows))) == sorted(meals), code
            part = page.split(f'id="{code}"', 1)[1].split("</section>", 1)[0].replace(",", "")
            assert all(f"{many} 餐" in part for many in meals), code
    acts = sa.select(AuditRecord.detail).where(AuditRecord.act == "export")
    assert db.session.scalars(acts).one()["format"] == "xlsx"
