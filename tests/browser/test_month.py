"""One month at the settlement desk, from twelve irregularities to the bank and after it.

Every person sits at a browser of their own; what the timetable does by night is done by its jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from canteen import background, clock, delivering, jobs
from canteen.checks.models import Suspicion
from canteen.cli.settlement import verify
from canteen.db import db, transaction
from canteen.demo.provider import PretendProvider, pretending
from canteen.settlements import holding, looking, reviewing
from canteen.settlements.models import Payout, Statement, StatementAmendment
from canteen.subsidies.models import Grant
from canteen.territory.actors import Actor
from tests.browser.conftest import PATIENCE, TABLET, give_password, sign_in
from tests.factories import actor
from tests.stories.irregular import PLANTED, Month, last_month, make_month

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]
TITLES = {
    "deceased": "身故后用餐", "in_institution": "入住机构期间用餐", "moved_away": "迁出后用餐",
    "long_term_care": "享受长护险期间用餐", "closed_day": "歇业日售卖",
    "signed_before_sent": "先签收后送出", "out_of_hours": "非供餐时间售卖",
    "burst": "连续快速刷卡", "staff_phone": "老人电话是食堂电话",
    "shared_account": "两家企业共用收款账户", "very_old": "高龄待核实",
}  # fmt: skip


class Desk:
    """The people of the story and their browsers."""

    def __init__(self, month: Month, address: str, browser: Browser, folder: Path) -> None:
        self.month, self.address, self.browser, self.folder = month, address, browser, folder
        self.pages: dict[str, Page] = {}
        self.shots = 0

    def at(self, role: str, path: str) -> Page:
        """The browser of somebody, at a page."""
        if role not in self.pages:
            context = self.browser.new_context(
                viewport=TABLET, locale="zh-CN", timezone_id="Asia/Shanghai"
            )
            context.set_default_timeout(PATIENCE)
            page = context.new_page()
            page.on("dialog", lambda dialog: dialog.accept())
            sign_in(page, self.address, give_password(self.month.users[role].id))
            self.pages[role] = page
        self.pages[role].goto(f"{self.address}{path}")
        return self.pages[role]

    def who(self, role: str) -> Actor:
        """Somebody as the rooms know them."""
        return actor(self.month.users[role])

    def keep(self, page: Page, name: str) -> None:
        """A picture of what a page shows."""
        self.shots += 1
        path = self.folder / f"{self.shots:02d}-{name}.png"
        page.screenshot(path=path, full_page=True, animations="disabled")

    def statement(self, canteen_id: int) -> Statement:
        """The statement of the month as it stands now."""
        db.session.rollback()
        return db.session.scalars(
            sa.select(Statement).where(
                Statement.canteen_id == canteen_id, Statement.period == self.month.period
            ).execution_options(populate_existing=True)
        ).one()  # fmt: skip


def press(page: Page, name: str) -> None:
    """Press a button and, where a dialog asks whether it is meant, say yes."""
    with leaving(page):
        page.get_by_role("button", name=name, exact=False).first.click()
        dialog = page.locator("dialog[open]")
        if dialog.count():
            dialog.locator("button[type=submit], .button-primary, .button-stop-sure").last.click()


@contextmanager
def leaving(page: Page) -> Iterator[None]:
    """What is pressed within leads to a page that is there afterwards; a click does not wait."""
    page.evaluate("document.documentElement.dataset.left = 'not yet'")
    yield
    expect(page.locator("html[data-left]")).to_have_count(0, timeout=PATIENCE)
    page.wait_for_load_state()


@pytest.fixture
def provider(app: Flask, tmp_path: Path) -> Iterator[PretendProvider]:
    """A provider that knows the operators' account."""
    with pretending(tmp_path / "provider.db") as pretend:
        pretend.open_accounts("acct_operator_1", "acct_operator_2")
        yield pretend


def test_a_month_of_twelve_irregularities(
    app: Flask, live: Callable[[], str], browser: Browser, provider: PretendProvider,
    tmp_path: Path,
) -> None:  # fmt: skip
    # Two months ago: the one after it can be closed as well.
    month = make_month(clock.period_before(last_month()))
    desk = Desk(month, live(), browser, tmp_path)
    close_the_month(desk)
    find_and_decide(desk)
    put_right(desk)
    approve(desk)
    pay(desk, provider)
    claw_back(desk)
    proved = app.test_cli_runner().invoke(verify)
    assert proved.exit_code == 0 and "all well" in proved.output
    for page in desk.pages.values():
        page.context.close()


def close_the_month(desk: Desk) -> None:
    """The city closes the month in the background and sees it done."""
    page = desk.at("city_second", "/bureau/tasks")
    page.select_option("form:has(input[value=close_month]) select[name=period]", desk.month.period)
    page.click("form:has(input[value=close_month]) button[type=submit]")
    expect(page.locator("progress")).to_be_visible()
    assert background.run_tasks() is not None
    expect(page.locator("#task")).to_contain_text("已完成", timeout=PATIENCE)
    desk.keep(page, "closed")


def find_and_decide(desk: Desk) -> None:
    """The district sees all of it with its evidence, denies two, asks about one, pays the rest."""
    month = desk.month
    db.session.rollback()
    found = dict(
        db.session.execute(
            sa.select(Suspicion.code, sa.func.count()).group_by(Suspicion.code)
        ).all()
    )
    assert {code: found.get(code) for code in PLANTED} == PLANTED
    page = desk.at("district", f"/bureau/findings?canteen={month.here.id}&period=all")
    for title in TITLES.values():
        expect(page.get_by_role("link", name=title).first).to_be_visible()
    desk.keep(page, "findings")
    for order in month.orders["deceased"][1:]:
        decide(desk, order, "deny", "家属已证实本人去世，餐由他人领走")
    (signed,) = month.orders["signed_before_sent"]
    decide(desk, signed, "ask", "为什么先签收后送出？")
    answer = desk.at("operator", "/operator/problems")
    desk.keep(answer, "problems")
    answer.get_by_role("link", name=TITLES["signed_before_sent"]).first.click()
    answer.fill("textarea[name=reason]", "平板时间快了，送餐员当场补记")
    answer.locator("form:has(textarea[name=reason]) button[type=submit]").first.click()
    expect(answer.get_by_text("平板时间快了").first).to_be_visible()
    decide(desk, signed, "pay", "说明合理")
    pay_the_rest(desk)


def decide(desk: Desk, order_id: int, verdict: str, reason: str) -> None:
    """Decide the finding about one meal at the district's desk."""
    db.session.rollback()
    suspicion = db.session.scalars(
        sa.select(Suspicion.id).where(Suspicion.order_id == order_id)
    ).one()  # fmt: skip
    page = desk.at("district", f"/bureau/findings/{suspicion}")
    page.check(f"input[name=verdict][value={verdict}]")
    page.fill("#decide textarea[name=reason]", reason)
    desk.keep(page, f"decide-{verdict}")
    with leaving(page):
        page.click("#decide button[type=submit]")
    expect(page.get_by_text(reason).first).to_be_visible()


def pay_the_rest(desk: Desk) -> None:
    """The meals of the closed day are paid together at the desk, what is left by its own office."""
    page = desk.at(
        "district", f"/bureau/findings?check=closed_day&period={desk.month.period}"
    )
    page.check("[data-pick-all]")
    page.select_option("select[name=verdict]", "pay")
    page.fill("textarea[name=reason]", "检修改期，当天照常供餐，有公告为证")
    with leaving(page):
        page.get_by_role("button", name="处理选中的").click()
    offices = {"120104": desk.who("district"), "120103": desk.who("district_elsewhere")}
    db.session.rollback()
    left = db.session.execute(
        sa.select(Suspicion.id, Statement.district_code)
        .join(Statement, Statement.canteen_id == Suspicion.canteen_id)
        .where(Suspicion.state == "open")
    ).all()
    assert not {row.id for row in left} & set(
        db.session.scalars(sa.select(Suspicion.id).where(Suspicion.code == "closed_day"))
    )
    for suspicion_id, district in left:
        with transaction():
            holding.decide(
                suspicion_id, "pay", "核对无误", by=offices[district], at=clock.now()
            )


def put_right(desk: Desk) -> None:
    """The operator confirms, the street marks one meal, only that one opens and is withdrawn."""
    statement = desk.statement(desk.month.here.id)
    page = desk.at("operator", f"/operator/statements/{statement.id}")
    press(page, "确认无误")
    street = desk.at("street", f"/bureau/statements/{statement.id}/marks")
    street.locator("details.mark-day").first.locator("summary").click()
    street.locator("input[name=orders]").first.check()
    marked = int(street.locator("input[name=orders]").first.get_attribute("value") or 0)
    street.fill("textarea[name=reason]", "这一餐是工作餐，请核对")
    desk.keep(street, "marks")
    press(street, "退回并请其更正")
    before = desk.statement(desk.month.here.id).total_fen
    page = desk.at("operator", f"/operator/statements/{statement.id}/corrections")
    expect(page.locator("article")).to_have_count(1)
    page.check("input[name=act][value=withdraw]")
    page.fill("textarea[name=words]", "确是工作餐，刷错了卡")
    desk.keep(page, "correction")
    press(page, "回复这一条")
    assert desk.statement(desk.month.here.id).total_fen == before - 500
    rows = db.session.scalars(
        sa.select(Grant.cause).where(Grant.order_id == marked).order_by(Grant.number)
    ).all()
    assert rows[-1] == "corrected"
    page = desk.at("operator", f"/operator/statements/{statement.id}")
    press(page, "确认无误")


def approve(desk: Desk) -> None:
    """Street, district (which looks at the sample first) and city pass it; the other one alike."""
    here = desk.statement(desk.month.here.id)
    street = desk.at("street", f"/bureau/statements/{here.id}")
    press(street, "全部核阅")
    expect(street.get_by_text("已核阅").first).to_be_visible()
    press(street, "核准")
    page = desk.at("district", f"/bureau/statements/{here.id}/sample")
    desk.keep(page, "sample")
    page.fill("#rest_count", str(page.locator(".drawn-open").count()))
    press(page, "其余都无误")
    page = desk.at("district", f"/bureau/statements/{here.id}")
    desk.keep(page, "statement")
    press(page, "核准")
    other = desk.statement(desk.month.elsewhere.id)
    for role in ("operator_elsewhere", "street_elsewhere", "district_elsewhere"):
        with transaction():
            if role == "district_elsewhere":
                looking.look_rest([other.id], desk.who(role), clock.now())
            reviewing.approve([other.id], desk.who(role), at=clock.now())
    page = desk.at("city", f"/bureau/statements/{here.id}")
    desk.keep(page, "city")
    press(page, "批准付款")
    with transaction():
        reviewing.approve([other.id], desk.who("city"), at=clock.now())
    assert {desk.statement(c.id).stage for c in (desk.month.here, desk.month.elsewhere)} == {
        "approved"
    }
    assert db.session.scalar(sa.select(sa.func.count(StatementAmendment.id))) > 5


def pay(desk: Desk, provider: PretendProvider) -> None:
    """One makes the batch, another releases it; one payout fails, one notice is lost."""
    release_a_batch(desk)
    provider.fail_next("declined", path="/v1/transfers")
    provider.fail_next("lost_webhook", path="transfer.created")
    jobs.send_outbox()
    states = sorted(db.session.scalars(sa.select(Payout.state)))
    assert states == ["failed", "paid"]
    page = desk.at("city", "/bureau/payouts")
    desk.keep(page, "failed")
    press(page, "重")
    release_a_batch(desk)
    jobs.send_outbox()
    assert delivering.take_notices(provider)["taken"] == 1  # the other one's is lost
    db.session.rollback()
    assert set(db.session.scalars(sa.select(Payout.state))) == {"paid"}
    page = desk.at("city", "/bureau/reconciliation")
    press(page, "现在问平台")
    page = desk.at("city", "/bureau/reconciliation")
    expect(page.get_by_text("全部一致").first).to_be_visible()
    desk.keep(page, "reconciled")
    here, elsewhere = (desk.statement(c.id) for c in (desk.month.here, desk.month.elsewhere))
    assert {here.stage, elsewhere.stage} == {"paid"}
    sent = sum(one["amount"] for one in provider.all("transfer"))
    assert sent == here.total_fen + elsewhere.total_fen


def release_a_batch(desk: Desk) -> None:
    """The first of the city puts together what is ready, the second checks and releases it."""
    page = desk.at("city", "/bureau/batches/new")
    desk.keep(page, "batch")
    press(page, "编制批次")
    own = page.url
    assert page.get_by_role("button", name="复核放行").count() == 0
    second = desk.at("city_second", own.removeprefix(desk.address))
    press(second, "复核放行")
    expect(second.get_by_text("另一位同事").first).to_be_hidden()
    desk.keep(second, "released")


def claw_back(desk: Desk) -> None:
    """A death told after the month was paid takes back exactly its meals, in the next month."""
    elder, died = desk.month.elders["usual0"], desk.month.day(2)
    page = desk.at("street", f"/bureau/elders/{elder.id}")
    page.get_by_text("记入新情况").click()
    page.select_option("select[name=what]", "status:deceased")
    page.fill("input[name=valid_from]", died.isoformat())
    page.fill("input[name=evidence]", "火化证明")
    with leaving(page):
        page.get_by_role("button", name="记入", exact=True).click()
    eaten = set(
        db.session.scalars(
            sa.select(Grant.order_id).where(
                Grant.elder_id == elder.id, Grant.number == 1, Grant.on > died
            )
        )
    )
    gone = set(
        db.session.scalars(sa.select(Grant.order_id).where(Grant.cause == "corrected"))
    )
    jobs.nightly_late_facts(clock.now())
    later = clock.next_period(desk.month.period)
    jobs.close_month(later)
    db.session.rollback()
    taken = db.session.execute(
        sa.select(Grant.order_id, Grant.period).where(Grant.cause == "late_fact")
    ).all()
    assert {row.order_id for row in taken} == eaten - gone and eaten
    assert {row.period for row in taken} == {later}
    owed = db.session.scalars(
        sa.select(Statement).where(
            Statement.canteen_id == desk.month.here.id, Statement.period == later
        )
    ).one()
    assert (owed.meals, owed.total_fen) == (-len(taken), -500 * len(taken))
    page = desk.at("district", f"/bureau/statements/{owed.id}")
    expect(page.get_by_text("情况补录").first).to_be_visible()
    desk.keep(page, "clawed-back")
    page = desk.at("operator", "/operator/money")
    desk.keep(page, "money")
    page = desk.at("district", f"/bureau/meals/{min(eaten)}/story")
    expect(page.get_by_text("情况补录").first).to_be_visible()
    desk.keep(page, "story")


def test_every_kind_of_irregularity_has_its_title() -> None:
    from canteen.checks.catalogue import BY_CODE

    assert {code: BY_CODE[code].title.zh for code in TITLES} == TITLES
    assert set(PLANTED) - set(TITLES) == {"food_licence_expired"}
