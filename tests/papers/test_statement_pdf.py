"""The statement as PDF, read back with another library than the one that wrote it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pypdfium2
import pytest
from fontTools.ttLib import TTFont

from canteen.papers import fonts, statement_pdf
from canteen.papers.statement_paper import Change, Day, Part, Signature, StatementPaper
from canteen.words import Text

HERE = Text("南开区第1街道", "Nankai street 1")
DAYS = tuple(
    Day(date(2026, 10, 1) + timedelta(days=n), 40 + n, 12000 + n, 8000, 0) for n in range(31)
)
PAPER = StatementPaper(
    number=1234, city=Text("天津市", "Tianjin"), period="2026-10",
    stage=Text("已批准，待付款", "Approved, to be paid"),
    facts=(
        (Text("食堂", "Canteen"), Text("老人家食堂一店", "Canteen One")),
        (Text("运营企业", "Operator"), "和味餐饮"),
        (Text("信用代码", "Credit code"), "911299900000000001"),
        (Text("街道", "Street"), HERE),
        (Text("区", "District"), Text("南开区", "Nankai")),
    ),
    purses=(Text("天津市", "Tianjin"), Text("南开区", "Nankai")),
    parts=(
        Part(Text("老人补贴", "Elder subsidy"), 1705, (186233, 186232), 372465),
        Part(Text("运营补贴", "Enterprise subsidy"), 1705, (124000, 124000), 248000),
        Part(Text("上期结转", "Carried from before"), None, (None, None), -1009),
    ),
    total_fen=619456, days=DAYS, changes=(), notes=(),
    signatures=(
        Signature(
            Text("运营企业", "Operator"), Text("和味餐饮", "Hewei"), "郑经理", date(2026, 11, 3)
        ),
        Signature(Text("街道", "Street"), HERE),
        Signature(Text("区民政局", "District"), Text("南开区", "Nankai")),
        Signature(Text("市民政局", "City"), Text("天津市", "Tianjin")),
    ),
    code="A1B2-C3D4-E5F6", printed_on=date(2026, 11, 22),
)  # fmt: skip


@pytest.fixture(autouse=True)
def need_fonts() -> None:
    try:
        fonts.files()
    except fonts.NoChineseFont:
        pytest.skip("no Chinese font here")


def pages(made: bytes) -> list[str]:
    """The text of each page."""
    read = pypdfium2.PdfDocument(made)
    return [page.get_textpage().get_text_bounded() for page in read]


def test_the_statement_says_who_is_owed_what_in_figures_and_in_capitals() -> None:
    made = statement_pdf.write(PAPER)
    text = "\n".join(pages(made))
    for words in (
        "天津市老年助餐补贴结算单", "编号：1234",
        "2026年10月1日(周四) 至 2026年10月31日(周六)", "老人家食堂一店",
        "911299900000000001", "3,724.65", "1,862.33", "−10.09", "6,194.56",
        "人民币陆仟壹佰玖拾肆元伍角陆分", "10月30日(周五)", "经办人签字", "系统确认：郑经理",
        "2026年11月3日(周二)", "（盖章）", "A1B2-C3D4-E5F6", "第 1 页，共 1 页",
    ):  # fmt: skip
        assert words in text, words
    assert made.startswith(b"%PDF-") and len(made) < 60_000


def test_english_readers_get_an_english_paper() -> None:
    text = "\n".join(pages(statement_pdf.write(PAPER, "en")))
    for words in ("Tianjin Elder Meal Subsidy Statement", "No. 1234", "Enterprise subsidy",
                  "¥ 6,194.56", "check code must be A1B2-C3D4-E5F6", "Page 1 of 1"):  # fmt: skip
        assert words in text, words
    assert "补贴" not in text


def test_a_long_statement_goes_on_with_headings_and_no_torn_boxes() -> None:
    changes = tuple(
        Change(Text(f"第 {n} 号餐单", f"Meal {n}"), Text("老人已去世", "The elder had died"), -500)
        for n in range(90)
    )
    made = pages(statement_pdf.write(replace(PAPER, changes=changes)))
    assert len(made) == 3 and all(f"第 {n} 页，共 3 页" in made[n - 1] for n in (1, 2, 3))
    assert "天津市老年助餐补贴结算单 第 1234 号 · 2026年10月" in made[1]
    assert "事项" in made[1] and sum(text.count("（盖章）") for text in made) == 4
    assert [text.count("（盖章）") for text in made if "（盖章）" in text] == [4]


def test_a_quiet_month_and_a_debt_have_their_paper_too() -> None:
    paper = replace(PAPER, days=(), parts=PAPER.parts[2:], total_fen=-1009, purses=())
    paper = replace(paper, parts=(replace(PAPER.parts[2], by_purse=()),))
    assert "人民币负壹拾元零玖分" in pages(statement_pdf.write(paper))[0]


def test_the_characters_are_the_chinese_ones_of_the_collection() -> None:
    for path in fonts.files().values():
        font = TTFont(path, fontNumber=fonts.SIMPLIFIED, lazy=True)
        assert font["name"].getDebugName(1).startswith("Noto Sans CJK SC")


def test_without_fonts_the_refusal_says_what_to_install(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path),))
    with pytest.raises(fonts.NoChineseFont) as refused:
        statement_pdf.write(PAPER)
    assert "fonts-noto-cjk" in refused.value.text.zh and "fonts-noto-cjk" in refused.value.text.en
