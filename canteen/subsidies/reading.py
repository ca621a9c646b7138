"""Reading policy files and cases: every defect is named by its key and said in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from canteen.errors import Refused
from canteen.subsidies.checking import Defect, defects_of
from canteen.subsidies.shapes import Overlay, Policy
from canteen.words import Text

Shaped = TypeVar("Shaped")

# What may stand where only certain words may, said along with the refusal.
ALLOWED = {
    "meal": "breakfast, lunch, dinner",
    "meals": "breakfast, lunch, dinner",
    "service": "eat_in, pick_up, delivery",
    "services": "eat_in, pick_up, delivery",
    "care_level": "mild, moderate, severe",
    "care_levels": "mild, moderate, severe",
    "grade": "excellent, good, pass, fail",
    "days": "every_day, weekdays, working_days",
    "delivered": "till, account",
    "exclude": "in_institution, long_term_care",
    "place": "anywhere, home_district, home_street",
    "judged_on": "list, spend",
    "of": "list, spend",
    "source_mark": "V, M, D",
    "status": "alive, moved, in_institution, deceased",
}
KINDS = {
    "gates": "price_at_least_standard_set, spend_above_subsidy, spend_at_least, services, tiers",
    "layers": "flat, percent, up_to, by_band, by_tier, by_grade, rest",
    "enterprise": "flat, percent, by_band, by_tier, by_grade",
    "delivery": "flat, percent, by_band, by_tier, by_grade",
}


class PolicyInvalid(Refused):
    """A policy file, or a set of them, that says something no one can act on.

    `field` is the path of the first defect (`layers[0].amount.ceiling_fen`); `defects` has all.
    """

    code = "policy_invalid"

    def __init__(self, defects: list[Defect] | tuple[Defect, ...], *, source: str = "") -> None:
        self.defects = tuple(defects)
        self.source = source
        first = self.defects[0]
        super().__init__(first.reason, field=first.path or None, source=source)


def read_file(path: Path) -> Policy | Overlay:
    """The policy or overlay in a TOML file. Refuses a broken one with PolicyInvalid."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        reason = Text("文件无法读取：{why}", "The file cannot be read: {why}")
        raise PolicyInvalid(
            [Defect("", reason.format(why=error.strerror or "?"))], source=path.name
        ) from error
    except UnicodeDecodeError as error:
        raise PolicyInvalid(
            [Defect("", Text("文件不是 UTF-8 文本", "The file is not UTF-8 text"))],
            source=path.name,
        ) from error
    return read_toml(text, source=path.name)


def read_toml(text: str, *, source: str = "") -> Policy | Overlay:
    """The policy or overlay a TOML text describes; one with `extends` is an overlay."""
    try:
        raw = msgspec.toml.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise PolicyInvalid([Defect("", _no_toml(error))], source=source) from error
    return read_body(raw, source=source)


def _no_toml(error: Exception) -> Text:
    """Where a text stops being TOML; the parser's own words are English only."""
    line = re.search(r"at line (\d+)", str(error))
    if line is None:
        return Text(
            "不是有效的 TOML：文件没有写完，请检查末尾",
            "This is not valid TOML: it is broken off or repeats itself; look at its end",
        )
    return Text(
        "不是有效的 TOML：请检查第 {n} 行", "This is not valid TOML: look at line {n}"
    ).format(n=line[1])


def read_json(text: str, kind: type[Shaped]) -> Shaped:
    """The policy or overlay a canonical JSON text was made of."""
    try:
        raw = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError) as error:
        reason = Text("不是有效的 JSON:{why}", "This is not valid JSON: {why}").format(why=error)
        raise PolicyInvalid([Defect("", reason)]) from error
    read = read_body(raw)
    if not isinstance(read, kind):
        other = Text("这是{what}", "This is {what}").format(
            what=Text("区级叠加文件", "a district overlay")
            if isinstance(read, Overlay)
            else Text("完整政策", "a whole policy")
        )
        raise PolicyInvalid([Defect("extends", other)])
    return read


def read_body(raw: Any, *, source: str = "") -> Policy | Overlay:
    """A decoded body as a checked policy or overlay. Refuses with PolicyInvalid, all defects."""
    overlay = isinstance(raw, dict) and "extends" in raw
    try:
        read = msgspec.convert(raw, Overlay) if overlay else msgspec.convert(raw, Policy)
    except msgspec.ValidationError as error:
        raise PolicyInvalid([shape_defect(error)], source=source) from error
    defects = defects_of(read)
    if defects:
        raise PolicyInvalid(defects, source=source)
    return read


def shape_defect(error: msgspec.ValidationError) -> Defect:
    """What msgspec found wrong, as the key's path and a sentence in both languages."""
    message, _, where = str(error).partition(" - at `$")
    path = where.removesuffix("`").removeprefix(".")
    if found := re.fullmatch(r"Object contains unknown field `(.*)`", message, re.DOTALL):
        return Defect(
            _join(path, found[1]),
            Text("没有这个键，请检查拼写", "There is no such key; check its spelling"),
        )
    if found := re.fullmatch(r"Object missing required field `(.*)`", message):
        return Defect(_join(path, found[1]), Text("缺少这个键", "This key is missing"))
    if message.startswith("Invalid RFC3339"):
        return Defect(
            path,
            Text("应为日期，如 2024-05-17", "This must be a date, such as 2024-05-17"),
        )
    if found := re.fullmatch(r"Invalid (?:enum )?value (.*)", message, re.DOTALL):
        allowed = _allowed(path)
        return Defect(
            path,
            Text("{value} 不可用，可用：{allowed}", "{value} is not one of: {allowed}").format(
                value=found[1], allowed=allowed
            ),
        )
    if found := re.fullmatch(r"Expected (.*), got (.*)", message):
        return Defect(
            path,
            Text("应为 {wanted}，实为 {given}", "Expected {wanted}, got {given}").format(
                wanted=found[1].replace("`", ""), given=found[2].replace("`", "")
            ),
        )
    wanted = message.removeprefix("Expected ").replace("`", "")
    return Defect(path, Text("应为 {wanted}", "Expected {wanted}").format(wanted=wanted))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _allowed(path: str) -> str:
    """The words that may stand at a path, from its last key (and its table, for `kind`)."""
    keys = [re.sub(r"\[.*?\]", "", key) for key in path.split(".")]
    if keys[-1] == "kind":
        return KINDS.get(keys[0], "?")
    return ALLOWED.get(keys[-1], "?")
