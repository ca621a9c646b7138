"""Charts as plain SVG made on the server: no script, no inline style, the numbers in words too."""

from __future__ import annotations

import hashlib
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from xml.etree import ElementTree

import pygal
from markupsafe import Markup, escape
from pygal.style import Style

from canteen.papers.tables import in_words
from canteen.words import Text

# On import the library hangs a finder for its plugins among Python's own that knows no find_spec,
# which whoever walks the finders stumbles over; we use no plugins.
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]
Kind = Literal["int", "fen", "percent"]
Said = Text | str
# Told apart by lightness as well as by colour, in this order; css/components/chart.css has them.
TONES = ("jade", "amber", "blue", "stone", "vermilion", "leaf")
LETTER = 14  # the size of all text, in the units of the drawing
SIZES = {"wide": (640, 300), "narrow": (360, 290)}
BAR = 26  # what a lying bar takes of the height
SVG = "{http://www.w3.org/2000/svg}"
UNWANTED = {f"{SVG}{tag}" for tag in ("defs", "script", "style", "title", "desc")}
MEASURES = ("x", "y", "width", "height", "cx", "cy", "d", "transform")
LONG_NUMBER = re.compile(r"(-?\d+\.\d)\d+")
PLAIN = Style(
    font_family="sans-serif", label_font_size=LETTER, major_label_font_size=LETTER,
    value_font_size=LETTER - 1, legend_font_size=LETTER, no_data_font_size=LETTER,
)


def bars(
    title: Said, labels: Sequence[Said], series: Mapping[Said, Sequence[int | None]], *,
    unit: Said, kind: Kind = "int", stacked: bool = False, lying: bool = False,
    tones: Sequence[str] = TONES, locale: str = "zh",
) -> Markup:  # fmt: skip
    """A bar for each label and series, side by side or `stacked`; `lying` for long labels.

    Values of kind "fen" are drawn as yuan, "percent" are basis points. Gives a <figure> for a
    page that loads chart.css; it draws itself wide or narrow by the room it has.
    """
    standing = pygal.StackedBar if stacked else pygal.Bar
    flat = pygal.HorizontalStackedBar if stacked else pygal.HorizontalBar
    return _figure(
        flat if lying else standing, title, labels, series, unit, kind, tones, locale,
        values=not stacked and len(series) == 1,
    )


def lines(
    title: Said, labels: Sequence[Said], series: Mapping[Said, Sequence[int | None]], *,
    unit: Said, kind: Kind = "int", tones: Sequence[str] = TONES, locale: str = "zh",
) -> Markup:  # fmt: skip
    """A line for each series over the labels; None leaves a gap. Else as `bars`.

    One label alone makes no line: bars then, for a lone dot says little.
    """
    if len(labels) == 1:
        return bars(title, labels, series, unit=unit, kind=kind, tones=tones, locale=locale)
    return _figure(pygal.Line, title, labels, series, unit, kind, tones, locale, values=False)


def _figure(
    shape: Any, title: Said, labels: Sequence[Said], series: Mapping[Said, Sequence[int | None]],
    unit: Said, kind: Kind, tones: Sequence[str], locale: str, *, values: bool,
) -> Markup:  # fmt: skip
    names = [_said(name, locale) for name in series]
    words = [_said(label, locale) for label in labels]
    columns = [list(column) for column in series.values()]
    caption = _said(title, locale)
    told = describe(names, words, columns, kind, locale)
    key = ""
    if len(names) > 1:
        items = (
            f'<li><svg viewBox="0 0 12 12" class="chart-swatch" aria-hidden="true">'
            f'<rect width="12" height="12" class="tone-{tones[i % len(tones)]}"/></svg>'
            f"{escape(name)}</li>"
            for i, name in enumerate(names)
        )
        key = f'<ul class="chart-key">{"".join(items)}</ul>'
    drawn = "".join(
        _draw(shape, size, caption, told, names, words, columns, kind, tones, locale, values)
        for size in SIZES
    )
    # All parts are escaped above or written by the XML library.
    return Markup(  # noqa: S704
        f'<figure class="chart"><figcaption class="chart-title">{escape(caption)}'
        f'<span class="unit">{escape(_said(unit, locale))}</span></figcaption>{key}{drawn}</figure>'
    )


def _draw(
    shape: Any, size: str, caption: str, told: str, names: list[str], labels: list[str],
    columns: list[list[int | None]], kind: Kind, tones: Sequence[str], locale: str, values: bool,
) -> str:  # fmt: skip
    width, height = SIZES[size]
    lying = issubclass(shape, pygal.HorizontalBar | pygal.HorizontalStackedBar)
    widest = max((_width(label) for label in labels), default=0)
    known = [value for column in columns for value in column if value is not None]
    sums = [sum(filter(None, row)) for row in zip(*columns, strict=True)]
    piled = issubclass(shape, pygal.StackedBar | pygal.HorizontalStackedBar)
    top = max(map(abs, sums if piled else known), default=0) / (1 if kind == "int" else 100)
    options: dict[str, Any] = {
        "js": [], "disable_xml_declaration": True, "no_prefix": True, "show_legend": False,
        "style": PLAIN, "width": width, "height": height, "margin": 4, "margin_top": LETTER + 4,
        "spacing": 6, "max_scale": 5, "order_min": 0, "dots_size": 3, "truncate_label": -1,
        "include_x_axis": True, "allow_interruptions": True,
        "value_formatter": lambda value: compact(value, kind, locale, top),
        "no_data_text": Text("没有数据", "No data").into(locale),
    }  # fmt: skip
    if not any(known):
        options["range"] = (0, 100 if kind != "int" else 4)
    if lying:
        side_by_side = 1 if issubclass(shape, pygal.HorizontalStackedBar) else len(names)
        options["height"] = len(labels) * BAR * max(1, side_by_side) + 2 * LETTER + 24
        estimate = max((len(label) for label in labels), default=0) * LETTER * 0.6
        options["margin_left"] = 4 + max(0, widest - estimate)
        options["max_scale"] = 5 if size == "wide" else 3
        labels, columns = labels[::-1], [column[::-1] for column in columns]  # the first on top
    else:
        if shape is pygal.Line:  # the last label is centred below the last point
            options["margin_right"] = 4 + widest / 2
        room = (width - 60) / max(1, len(labels))
        every = max(1, -(-int(widest + LETTER) // int(room)))
        if every > 1:
            options |= {"x_labels_major_every": every, "show_minor_x_labels": False}
        longest = max((_width(compact(value, kind, locale, top)) for value in known), default=0)
        values = values and longest <= room
    chart = shape(**options, print_values=values and not lying, print_values_position="top")
    chart.x_labels = labels
    for name, column in zip(names, columns, strict=True):
        pairs = zip(column, labels, strict=True)
        chart.add(name, [
            None if value is None else {
                "value": value if kind == "int" else value / 100,
                "label": f"{name} {label} {in_words(value, kind, locale)}",
            }
            for value, label in pairs
        ])  # fmt: skip
    root = ElementTree.fromstring(chart.render())  # noqa: S314, our own drawing
    _strip(root, tones)
    mark = hashlib.sha256(f"{caption}{told}{size}".encode()).hexdigest()[:8]
    for tag, text in (("desc", told), ("title", caption)):
        said = ElementTree.Element(f"{SVG}{tag}", {"id": f"chart-{mark}-{tag}"})
        said.text = text
        root.insert(0, said)
    root.attrib.pop("id", None)
    root.attrib |= {
        "class": f"chart-drawing chart-{size}", "role": "img",
        "aria-labelledby": f"chart-{mark}-title", "aria-describedby": f"chart-{mark}-desc",
    }  # fmt: skip
    ElementTree.register_namespace("", SVG[1:-1])
    return ElementTree.tostring(root, encoding="unicode")


def _strip(root: ElementTree.Element, tones: Sequence[str]) -> None:
    """Leave of the library's drawing what a strict page may show, with a title at each value."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.get("class") == "label" and child.tag == f"{SVG}desc":
                child.tag = f"{SVG}title"
                child.attrib.clear()
            elif child.tag in UNWANTED or "tooltip-overlay" in child.get("class", ""):
                parent.remove(child)
    for element in root.iter():
        kind = element.get("class", "")
        number = re.search(r"serie-\d+ color-(\d+)", kind)
        if number:
            element.set("class", f"series tone-{tones[int(number[1]) % len(tones)]}")
        elif kind.startswith(("rect ", "dot ", "line ")):
            element.set("class", kind.split()[0])
        for name in [name for name in ("style", "rx", "ry") if element.get(name)]:
            element.attrib.pop(name)
        for name in [name for name in MEASURES if name in element.attrib]:
            element.set(name, LONG_NUMBER.sub(r"\1", element.attrib[name]))


def describe(
    names: list[str], labels: list[str], columns: list[list[int | None]], kind: Kind, locale: str
) -> str:
    """The chart in words, for those who do not see it: every series with its first and last."""
    if not labels:
        return Text("没有数据", "No data").into(locale)
    said = []
    for name, column in zip(names, columns, strict=True):
        known = [(value, label) for value, label in zip(column, labels, strict=True)
                 if value is not None]  # fmt: skip
        if not known:
            continue
        most = max(known, key=lambda pair: pair[0])
        least = min(known, key=lambda pair: pair[0])
        said.append(
            Text(
                "{name}：{first}到{last}，最高 {most}（{at}），最低 {least}（{low}）",
                "{name}: {first} to {last}, most {most} ({at}), least {least} ({low})",
            ).format(
                name=name, first=known[0][1], last=known[-1][1], at=most[1], low=least[1],
                most=in_words(most[0], kind, locale), least=in_words(least[0], kind, locale),
            ).into(locale)
        )  # fmt: skip
    return Text("；", "; ").into(locale).join(said)


def compact(
    value: float | int | None, kind: Kind, locale: str, top: float | None = None
) -> str:
    """A number as short as an axis needs it: 12 万 / 120k; fen have become yuan already.

    All numbers of one axis are in the unit of its `top`.
    """
    if value is None:
        return ""
    if kind == "percent":
        return f"{_short(value)}%"
    for least, worth, zh, en in (
        (1e8, (1e8, 1e6), "亿", "M"), (1e6, (1e4, 1e6), "万", "M"), (1e4, (1e4, 1e3), "万", "k"),
    ):  # fmt: skip
        if value and abs(value if top is None else top) >= least:
            return _short(value / worth[locale == "en"]) + (en if locale == "en" else zh)
    return _short(value)


def _short(value: float) -> str:
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def _said(what: Said, locale: str) -> str:
    return what.into(locale) if isinstance(what, Text) else what


def _width(text: str) -> float:
    """How wide a text is drawn: a Chinese character is as wide as high."""
    return sum(
        LETTER if unicodedata.east_asian_width(mark) in "WF" else LETTER * 0.6 for mark in text
    )
