"""Charts: what they draw, what they say, and that a strict page may show them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from canteen.papers import charts
from canteen.words import Text

MONTHS = [Text("8月", "Aug"), Text("9月", "Sep"), Text("10月", "Oct")]
MEALS = {Text("补贴餐次", "Meals"): [1200, None, 345678]}
CSS = Path(charts.__file__).parents[1] / "static/css/components/chart.css"


def drawings(markup: str) -> list[ElementTree.Element]:
    """The two drawings of a figure, wide and narrow."""
    figure = ElementTree.fromstring(str(markup))
    every = figure.iter(f"{charts.SVG}svg")
    return [one for one in every if "chart-drawing" in one.get("class", "")]


def texts(element: ElementTree.Element, tag: str) -> list[str]:
    return [one.text or "" for one in element.iter(f"{charts.SVG}{tag}")]


@pytest.mark.parametrize("draw", [charts.bars, charts.lines])
def test_nothing_in_a_chart_is_what_a_strict_page_forbids(draw) -> None:
    markup = draw("<b>月</b>", ["<script>1</script>", '"x"'], {"a&b": [1, 2]}, unit="餐")
    for word in ("<script", "<style", "style=", "onload", "href", "javascript", "<b>", "http://www.k"):
        assert word not in markup
    assert "&lt;b&gt;月" in markup and hasattr(markup, "__html__")


def test_a_chart_is_drawn_for_a_wide_and_a_narrow_place_with_its_own_title_and_words() -> None:
    wide, narrow = drawings(charts.bars("每月餐次", MONTHS, MEALS, unit="餐"))
    ids = [one.get("id") for svg in (wide, narrow) for one in svg.iter() if one.get("id")]
    assert len(ids) == len(set(ids)) == 4
    said = "补贴餐次：8月到10月，最高 345,678（10月），最低 1,200（8月）"
    for svg in (wide, narrow):
        assert svg.get("role") == "img"
        assert texts(svg, "title")[0] == "每月餐次"
        assert texts(svg, "desc") == [said]


def test_every_value_can_be_read_exactly_and_what_is_missing_is_not_drawn() -> None:
    wide, _ = drawings(charts.bars("每月餐次", MONTHS, MEALS, unit="餐"))
    assert texts(wide, "title")[1:] == ["补贴餐次 8月 1,200", "补贴餐次 10月 345,678"]
    heights = [float(one.get("height")) for one in wide.iter(f"{charts.SVG}rect")
               if one.get("class") == "rect"]  # fmt: skip
    assert len(heights) == 2
    assert heights[1] / heights[0] == pytest.approx(345678 / 1200, rel=0.1)


def test_money_is_drawn_as_yuan_and_said_to_the_fen() -> None:
    markup = charts.bars("金额", ["甲", "乙"], {"补贴": [1234567890, 5]}, unit="元", kind="fen")
    wide, _ = drawings(markup)
    assert texts(wide, "title")[1:] == ["补贴 甲 12,345,678.90", "补贴 乙 0.05"]
    assert "1,234.6万" in texts(wide, "text") or "1,235万" in texts(wide, "text")


def test_english_readers_get_english_words() -> None:
    title, unit = Text("走势", "Curve"), Text("餐", "meals")
    markup = charts.lines(title, MONTHS, MEALS, unit=unit, locale="en")
    assert ">Curve<" in markup and ">meals<" in markup and "Aug to Oct" in markup
    assert not any("\u4e00" <= mark <= "\u9fff" for mark in markup)


def test_a_single_month_is_drawn_as_bars() -> None:
    one = {"甲": [3], "乙": [5]}
    for wide in drawings(charts.lines("一个月", MONTHS[:1], one, unit="餐")):
        rects = [each for each in wide.iter(f"{charts.SVG}rect") if each.get("class") == "rect"]
        assert len(rects) == 2


def test_several_series_have_a_key_and_tones_that_the_stylesheet_knows() -> None:
    series = {f"系列{number}": [number, 2] for number in range(len(charts.TONES))}
    markup = charts.bars("多", ["甲", "乙"], series, unit="餐", stacked=True)
    css = CSS.read_text()
    for tone in charts.TONES:
        assert f"tone-{tone}" in markup and f".tone-{tone} " in css
    assert markup.count("<li>") == len(series)


def test_the_first_label_of_lying_bars_is_on_top_and_none_is_cut_short() -> None:
    names = ["滨海新区塘沽街道办事处", "和平区"]
    wide, narrow = drawings(charts.bars("区", names, {"餐": [3, 1]}, unit="餐", lying=True))
    for svg in (wide, narrow):
        places = {text.text: float(text.get("y")) for text in svg.iter(f"{charts.SVG}text")}
        assert places[names[0]] < places[names[1]]


@pytest.mark.parametrize("values", [[], [0, 0], [None, None]])
def test_nothing_to_draw_is_still_a_chart(values: list[int | None]) -> None:
    labels = ["甲", "乙"][: len(values)]
    for draw in (charts.bars, charts.lines):
        assert drawings(draw("空", labels, {"餐": values}, unit="餐"))


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [(0, "0", "0"), (0.5, "0.5", "0.5"), (9999, "9,999", "9,999"), (123456, "12.3万", "123.5k"),
     (1234567, "123.5万", "1.23M"), (3.2e8, "3.2亿", "320M"), (-20000, "−2万", "−20k")],
)  # fmt: skip
def test_numbers_on_an_axis_are_short(value: float, zh: str, en: str) -> None:
    assert charts.compact(value, "int", "zh") == zh
    assert charts.compact(value, "int", "en") == en


def test_the_numbers_of_one_axis_are_in_one_unit() -> None:
    ticks = (0, 8_000, 16_000, 24_000)
    said = {name: [charts.compact(tick, "int", name, 24_000.0) for tick in ticks]
            for name in ("zh", "en")}  # fmt: skip
    assert said == {"zh": ["0", "0.8万", "1.6万", "2.4万"], "en": ["0", "8k", "16k", "24k"]}
