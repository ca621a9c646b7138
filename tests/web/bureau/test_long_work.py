"""Long work asked for at the desk: a month taken out, by its asker only, and given up half way."""

from __future__ import annotations

import io
from contextlib import suppress

import openpyxl
import sqlalchemy as sa

from canteen import background, clock
from canteen.audit.models import AuditRecord
from canteen.db import db, transaction
from canteen.subsidies.models import Period
from canteen.tasks import asking, files
from canteen.tasks.models import Task
from canteen.tasks.working import Cancelled, Progress, Run
from tests.factories import City
from tests.web.bureau.conftest import Enter

OCTOBER = {"kind": "export_meals", "period": "2026-10"}


def test_a_month_is_taken_out_in_the_background_by_its_asker_only(
    city: City, enter: Enter
) -> None:
    hands = city.extra["hands"]
    street = enter(hands.street)
    answer = street.post("/bureau/tasks", data=OCTOBER)
    assert answer.status_code == 303
    assert street.get(answer.location + "/file").status_code == 409
    assert background.run_tasks() is not None
    assert "查看结果" in street.get(answer.location).get_data(as_text=True)
    taken = street.get(answer.location + "/file")
    sheet = openpyxl.load_workbook(io.BytesIO(taken.data)).active
    text = "\n".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)
    assert city.here.name in text and city.elsewhere.name not in text
    assert city.elder.name not in text
    assert enter(hands.district).get(answer.location + "/file").status_code == 404
    assert files.forget_before(clock.now()) == 0


def test_any_month_of_a_part_of_the_ground_is_taken_out(city: City, enter: Enter) -> None:
    desk = enter(city.extra["hands"].city)
    with transaction() as session:
        session.add(Period(period="2026-03", closed_at=clock.now()))
    assert 'value="2026-03"' in desk.get("/bureau/tasks").text
    answer = desk.post("/bureau/tasks", data=OCTOBER | {"territory": city.elsewhere.district_code})
    assert background.run_tasks() is not None
    sheet = openpyxl.load_workbook(io.BytesIO(desk.get(answer.location + "/file").data)).active
    text = "\n".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)
    assert city.elsewhere.name in text and city.here.name not in text
    kept = db.session.scalars(sa.select(AuditRecord).where(AuditRecord.act == "export")).one()
    assert kept.detail["territory"] == city.elsewhere.district_code
    assert kept.detail["rows"] == sheet.max_row - 2, "but for headings and sums"
    street = enter(city.extra["hands"].street)  # another's ground is none: one's own goes out
    answer = street.post("/bureau/tasks", data=OCTOBER | {"territory": city.elsewhere.street_code})
    assert background.run_tasks() is not None
    sheet = openpyxl.load_workbook(io.BytesIO(street.get(answer.location + "/file").data)).active
    text = "\n".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)
    assert city.here.name in text and city.elsewhere.name not in text


def test_a_workbook_given_up_half_way_leaves_nothing(city: City, enter: Enter) -> None:
    officer = city.extra["hands"].street
    with transaction():
        task = asking.start("export_meals", {"period": "2026-10"}, officer, at=clock.now())
    with transaction():
        asking.cancel(task.id, officer, at=clock.now())
        db.session.get_one(Task, task.id).state = "running"
    task = db.session.get_one(Task, task.id, populate_existing=True)
    with suppress(Cancelled):
        background.export_meals(Progress(Run(task.id, task.runs)), task)
    assert list(files.folder().iterdir()) == []


def test_the_page_offers_to_cancel_only_what_can_still_be_stopped(
    city: City, enter: Enter
) -> None:
    officer = enter(city.extra["hands"].city)
    url = officer.post("/bureau/tasks", data=OCTOBER | {"kind": "check_meals"}).location
    for done, offered in ((0, True), (1, False)):
        with transaction() as session:
            session.execute(
                sa.update(Task).values(
                    state="running", done_steps=done, all_steps=2, says=["检查", "Checking"]
                )
            )
        assert (f"{url}/cancellation" in officer.get(url).text) is offered
    refused = officer.post(f"{url}/cancellation")
    assert refused.status_code == 409 and "已经是最后一步" in refused.text
    assert officer.get(f"/language/en?next={url}/cancellation").location == url
    assert f'href="{url}"' in officer.get(f"{url}/cancellation").text  # typed, or an old link


def test_each_office_may_ask_for_its_own_work_only(city: City, enter: Enter) -> None:
    hands = city.extra["hands"]
    for who, kind in (
        (hands.street, "close_month"), (hands.street, "check_meals"),
        (hands.district, "close_month"), (hands.city, "what_if"), (hands.city, "nonsense"),
    ):  # fmt: skip
        answer = enter(who).post("/bureau/tasks", data={"kind": kind, "period": "2026-09"})
        assert answer.status_code == 422, kind
    wrong = enter(hands.city).post("/bureau/tasks", data={"kind": "check_meals", "period": "x"})
    assert wrong.status_code == 422
