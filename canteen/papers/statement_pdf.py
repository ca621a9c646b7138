"""The statement on paper: what is owed for a month, by side and by funder, to sign and to stamp."""

from __future__ import annotations

from collections.abc import Sequence

from canteen import clock
from canteen.money import yuan
from canteen.papers.capitals import capitals
from canteen.papers.pdf import MARGIN, ROW, WIDTH, Box, Col, Paper
from canteen.papers.statement_paper import Change, Day, Signature, StatementPaper
from canteen.words import Text, day, month

CHANGES = Text("更正与调整（已计入以上金额）", "Corrections and adjustments (in the sums above)")
DAYS_BESIDE = 8  # from so many days on they stand in two columns


def title(paper: StatementPaper) -> Text:
    """What the paper is called."""
    return Text("{city}老年助餐补贴结算单", "{city} Elder Meal Subsidy Statement").format(
        city=paper.city
    )


def write(paper: StatementPaper, locale: str = "zh") -> bytes:
    """The statement as a PDF of A4, in the reader's language. Refuses NoChineseFont."""

    def t(zh: str, en: str, **values: object) -> str:
        return Text(zh, en).format(**values).into(locale)

    name = title(paper).into(locale)
    sheet = Paper(
        title=t("{name} 第 {n} 号", "{name} No. {n}", name=title(paper), n=paper.number),
        running=t("{name} 第 {n} 号 · {month}", "{name} No. {n} · {month}", name=title(paper),
                  n=paper.number, month=month(paper.period)),
        foot=t("核验：登录系统打开第 {n} 号结算单，“校验码”应为 {code}；不一致即内容被改动。"
               "{on} 打印。",
               "To verify: sign in and open statement No. {n}; its check code must be {code}, or"
               " the paper was altered. Printed on {on}.",
               n=paper.number, code=paper.code, on=day(paper.printed_on, year=True)),
        locale=locale,
    )  # fmt: skip
    sheet.say(name, 18, bold=True, align="C", gap=2)
    sheet.say(
        t("编号：{n}　　结算期：{first} 至 {last}　　状态：{stage}",
          "No. {n}     Period: {first} to {last}     Stage: {stage}",
          n=paper.number, stage=paper.stage, **_span(paper.period)),
        9, quiet=True, align="C", gap=2.5,
    )  # fmt: skip
    facts = [(label.into(locale), _said(value, locale)) for label, value in paper.facts]
    sheet.facts(facts)
    sheet.heading(t("补贴金额（元）", "Sums in yuan"))
    _sums(sheet, paper, locale)
    sheet.ln(1.5)
    sheet.fitted(t("合计（大写）", "Total"), 26, fill=True, quiet=True, height=8)
    said = capitals(paper.total_fen)  # in Chinese in any language: it is what counts at a bank
    sheet.fitted(said, WIDTH - 26 - 44, height=8, bold=True, size=10.5)
    sheet.fitted(f"¥ {yuan(paper.total_fen)}", 44, height=8, bold=True, align="R", size=10.5)
    sheet.ln(9)
    for note in paper.notes:
        sheet.say(note.into(locale), 8.5, quiet=True, gap=0.5)
    if paper.changes:
        _changes(sheet, paper.changes, locale)
    if paper.days:
        sheet.heading(t("按日明细", "Day by day"))
        _days(sheet, paper.days, locale)
    sheet.ln(3)
    sheet.boxes(
        [_box(one, locale) for one in paper.signatures], stamp=t("（盖章）", "(seal)")
    )
    return sheet.bytes()


def _sums(sheet: Paper, paper: StatementPaper, locale: str) -> None:
    money = min(30.0, (WIDTH - 62) / (len(paper.purses) + 1))
    name = WIDTH - 16 - money * (len(paper.purses) + 1)
    columns = [
        Col(Text("项目", "For").into(locale), name),
        Col(Text("餐次", "Meals").into(locale), 16, True),
        *(Col(purse.into(locale), money, True) for purse in paper.purses),
        Col(Text("合计", "Total").into(locale), money, True),
    ]
    rows = [
        (
            part.name.into(locale), "" if part.meals is None else f"{part.meals:,}",
            *("" if fen is None else yuan(fen) for fen in part.by_purse), yuan(part.total_fen),
        )
        for part in paper.parts
    ]  # fmt: skip
    purses = [sum(part.by_purse[i] or 0 for part in paper.parts) for i in range(len(paper.purses))]
    total = (Text("合计", "Total").into(locale), "", *map(yuan, purses), yuan(paper.total_fen))
    sheet.grid(columns, rows, total)


def _changes(sheet: Paper, changes: Sequence[Change], locale: str) -> None:
    sheet.heading(CHANGES.into(locale))
    columns = [
        Col(Text("事项", "What").into(locale), 52), Col(Text("原因", "Why").into(locale), 96),
        Col(Text("金额（元）", "Yuan").into(locale), 28, True),
    ]  # fmt: skip
    rows = (
        (one.what.into(locale), one.why.into(locale),
         "—" if one.amount_fen is None else yuan(one.amount_fen))
        for one in changes
    )  # fmt: skip
    sheet.grid(columns, rows)


def _days(sheet: Paper, days: Sequence[Day], locale: str) -> None:
    """The days, in two columns beside each other where there are many."""
    delivery = any(each.delivery_fen for each in days)
    beside = len(days) >= DAYS_BESIDE
    wide = (WIDTH - 4) / 2 if beside else WIDTH
    shares = (24, 12, 20, 20, 18) if delivery else (26, 14, 23, 23)
    headings = (
        Text("日期", "Day"), Text("餐次", "Meals"), Text("老人补贴", "Elders"),
        Text("运营补贴", "Enterprise"), Text("送餐补贴", "Delivery"),
    )  # fmt: skip
    columns = [
        Col(heading.into(locale), wide * share / sum(shares), number > 0)
        for number, (heading, share) in enumerate(zip(headings, shares, strict=False))
    ]
    total = _row(
        Text("合计", "Total").into(locale), sum(each.meals for each in days),
        sum(each.elder_fen for each in days), sum(each.enterprise_fen for each in days),
        sum(each.delivery_fen for each in days) if delivery else None,
    )  # fmt: skip
    rows = [
        _row(day(each.on).into(locale), each.meals, each.elder_fen, each.enterprise_fen,
             each.delivery_fen if delivery else None)
        for each in days
    ]  # fmt: skip
    if not beside:
        sheet.grid(columns, rows, total)
        return
    half = -(-(len(rows) + 1) // 2)
    sheet.need((half + 2) * ROW)
    page, top = sheet.page, sheet.get_y()
    sheet.grid(columns, rows[:half])
    low = sheet.get_y()
    sheet.page = page
    sheet.set_y(top)
    sheet.grid(columns, rows[half:], total, left=MARGIN + wide + 4)
    sheet.set_y(max(low, sheet.get_y()))


def _row(name: str, meals: int, elder: int, enterprise: int, delivery: int | None) -> list[str]:
    sums = (elder, enterprise) if delivery is None else (elder, enterprise, delivery)
    return [name, f"{meals:,}", *map(yuan, sums)]


def _box(one: Signature, locale: str) -> Box:
    def t(zh: str, en: str) -> str:
        return Text(zh, en).into(locale)

    lines = [
        one.name.into(locale), t("经办人签字：", "Signed:"),
        t("日期：　　年　　月　　日", "Date:"),
    ]  # fmt: skip
    if one.who:
        on = f" {day(one.on, year=True).into(locale)}" if one.on else ""
        lines.append(t("系统确认：", "In the system: ") + _said(one.who, locale) + on)
    return Box(one.office.into(locale), tuple(lines))


def _span(period: str) -> dict[str, Text]:
    first, last = clock.period_days(period)
    return {"first": day(first, year=True), "last": day(last, year=True)}


def _said(value: Text | str, locale: str) -> str:
    return value.into(locale) if isinstance(value, Text) else value
