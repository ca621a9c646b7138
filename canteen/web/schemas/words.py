"""The schemas' complaints in both languages, and the first of them as one sentence."""

from __future__ import annotations

import re
from typing import Any

from canteen.words import Text

SAID: tuple[tuple[str, str], ...] = (
    (r"Missing data for required field\.", "必填"),
    (r"Unknown field\.", "没有这个字段"),
    (r"Field may not be null\.", "不能为空"),
    (r"Invalid value\.", "无效"),
    (r"Invalid input type\.|Invalid type\.", "类型不对"),
    (r"Not a valid string\.", "应为文字"),
    (r"Not a valid utf-8 string\.", "应为 UTF-8 文字"),
    (r"Not a valid integer\.", "应为整数"),
    (r"Not a valid number\.", "应为数字"),
    (r"Number too large\.", "数字太大"),
    (r"Not a valid boolean\.", "应为 true 或 false"),
    (r"Not a valid list\.", "应为列表"),
    (r"Not a valid mapping type\.", "应为对象"),
    (r"Not a valid date\.|.* cannot be formatted as a date\.", "不是有效日期，请写成 2026-11-21"),
    (r"Not a valid datetime\.", "不是有效时间"),
    (r"Not a valid time\.", "不是有效时刻，请写成 12:30"),
    (r"Must be one of: (.+)\.", "只能是：{0}"),
    (r"Must be equal to (.+)\.", "须为 {0}"),
    (
        r"Must be greater than or equal to (.+) and less than or equal to (.+)\.",
        "须在 {0} 至 {1} 之间",
    ),
    (r"Must be greater than or equal to (.+)\.", "不能小于 {0}"),
    (r"Must be less than or equal to (.+)\.", "不能大于 {0}"),
    (r"Must be greater than (.+)\.", "须大于 {0}"),
    (r"Must be less than (.+)\.", "须小于 {0}"),
    (r"Length must be between (.+) and (.+)\.", "长度须在 {0} 至 {1} 之间"),
    (r"Length must be (.+)\.", "长度须为 {0}"),
    (r"Shorter than minimum length (.+)\.", "至少 {0} 个"),
    (r"Longer than maximum length (.+)\.", "最多 {0} 个"),
    (r"String does not match expected pattern\.", "格式不对"),
)
LOCATIONS = ("json", "query", "headers", "form", "files", "json_or_form", "path", "cookies")


def in_both(complaint: str) -> Text:
    """A schema's complaint in both languages; one we have no words for stays as it is."""
    for pattern, zh in SAID:
        found = re.fullmatch(pattern, complaint, re.DOTALL)
        if found:
            return Text(zh.format(*found.groups()), complaint)
    return Text(complaint, complaint)


def first_complaint(messages: Any) -> tuple[str | None, Text]:
    """The first complaint of a refused request: the field ("lines.0.quantity") and the sentence."""
    path: list[str] = []
    while isinstance(messages, dict) and messages:
        name, messages = next(iter(messages.items()))
        if name != "_schema" and not (not path and name in LOCATIONS):
            path.append(str(name))
    said = messages[0] if isinstance(messages, list) and messages else messages
    words = said if isinstance(said, Text) else in_both(str(said))
    field = ".".join(path) or None
    if field is None:
        return None, words
    return field, Text(f"{field}:{words.zh}", f"{field}: {words.en}")
