"""What the columns of a register file are called and how their cells are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from canteen.elders import ric
from canteen.elders.checking import Enrolment, FactWish, Missing, UnknownValue
from canteen.elders.models import CARE_LEVELS, CATEGORIES, STATUSES
from canteen.errors import Refused
from canteen.words import Text

# Each field with the headings it may have; the first two are what an export and a template use.
HEADINGS: dict[str, tuple[str, ...]] = {
    "id_number": ("身份证号", "id_number", "身份证号码", "公民身份号码", "id number"),
    "name": ("姓名", "name"),
    "birth_date": ("出生日期", "birth_date", "出生年月日", "birth date"),
    "phone": ("电话", "phone", "手机", "手机号", "手机号码", "联系电话"),
    "household": ("户籍代码", "household", "户籍", "户籍地代码"),
    "street_code": ("街道代码", "street_code", "街道", "street"),
    "categories": ("类别", "categories", "人员类别"),
    "care_level": ("失能等级", "care_level", "care level"),
    "disability_grade": ("残疾等级", "disability_grade", "disability grade"),
    "long_term_care": ("长护险", "long_term_care", "长期护理保险", "long-term care"),
    "valid_from": ("认定日期", "valid_from", "生效日期", "valid from"),
    "valid_to": ("有效期至", "valid_to", "失效日期", "valid to"),
    "evidence": ("依据", "evidence", "证明材料"),
    "status": ("状态", "status"),
    "status_on": ("状态日期", "status_on", "status date"),
    "payout_account": ("收款账户", "payout_account", "payout account"),
    "diet_notes": ("饮食备注", "diet_notes", "忌口", "diet notes"),
}
REQUIRED = ("id_number", "name", "household", "street_code")
# The columns that speak of facts, and the kind each speaks of.
FACT_COLUMNS = {
    "categories": "category", "care_level": "care_level",
    "disability_grade": "disability_grade", "long_term_care": "long_term_care",
}
YES, NO = ("是", "有", "yes", "y", "1", "true"), ("", "否", "无", "no", "n", "0", "false")
GRADE_WORDS = dict(zip("一二三四", "1234", strict=True))
FIELDS = {heading: field for field, headings in HEADINGS.items() for heading in headings}


def _spoken(words: Mapping[str, Text]) -> dict[str, str]:
    """Every way of saying a code: itself, Chinese, English."""
    return {said.lower(): code for code, text in words.items() for said in (code, *text)}


CATEGORY_OF, CARE_LEVEL_OF, STATUS_OF = map(_spoken, (CATEGORIES, CARE_LEVELS, STATUSES))


class BadDate(Refused):
    """A cell that should hold a day does not."""

    code = "bad_date"
    text = Text("日期应写成 2024-05-17 这样", "Write a date like 2024-05-17")


class NumberAsNumber(Refused):
    """A spreadsheet kept the ID number as a number and lost its last digits."""

    code = "id_number_as_number"
    text = Text(
        "身份证号被表格软件存成了数字,后几位已丢失;请把这一列设为文本后重新填写",
        "The spreadsheet kept the ID number as a number and lost its last digits; "
        "make the column text and fill it in again",
    )


@dataclass(frozen=True)
class Line:
    """One row of a file, read but not yet checked.

    `dated` says whether the file itself dates the facts; `returned` that the person is back from
    an institution or from elsewhere, since that day.
    """

    number: int
    enrolment: Enrolment
    dated: bool
    returned: date | None


def field_of(heading: str) -> str | None:
    """The field a heading stands for, in either language; None for a column of no concern."""
    return FIELDS.get(heading.strip().strip("*").strip().lower())


def read_line(number: int, cells: Mapping[str, str], today: date) -> tuple[Line, list[Refused]]:
    """The row, and what could not be read in it. Facts without a date are true from today."""
    wrong: list[Refused] = []

    def day_in(field: str) -> date | None:
        try:
            return read_day(cells.get(field, ""), field)
        except BadDate as refusal:
            wrong.append(refusal)
            return None

    since, until, happened = day_in("valid_from"), day_in("valid_to"), day_in("status_on")
    facts, returned = [], None
    for kind, value, refusal in _facts_said(cells):
        if refusal:
            wrong.append(refusal)
        else:
            evidence = cells.get("evidence", "")
            facts.append(FactWish(kind, value, since or today, until, evidence))
    status = cells.get("status", "")
    code = STATUS_OF.get(status.lower())
    if status and code is None:
        wrong.append(_unknown("status", status, STATUSES))
    elif code == "alive":
        returned = happened or today
    elif code and happened is None:
        wrong.append(Missing(field="status_on"))
    elif code and happened:
        facts.append(FactWish("status", code, happened))
    if re.fullmatch(r"[\d.]+E\+?\d+", cells.get("id_number", ""), re.IGNORECASE | re.ASCII):
        wrong.append(NumberAsNumber(field=ric.FIELD))
    enrolment = Enrolment(
        id_number=cells.get("id_number", ""), name=cells.get("name", ""),
        street_code=cells.get("street_code", ""), household=cells.get("household", ""),
        birth_date=day_in("birth_date"), phone=cells.get("phone"),
        payout_account=cells.get("payout_account"), diet_notes=cells.get("diet_notes", ""),
        facts=tuple(facts),
    )  # fmt: skip
    return Line(number, enrolment, since is not None, returned), wrong


def read_day(cell: str, field: str) -> date | None:
    """A day as people write it: 2024-05-17, 2024/5/17, 20240517, 2024年5月17日."""
    plain = cell.strip()
    if not plain:
        return None
    found = re.fullmatch(
        r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]00:00(?::00)?)?|(\d\d)(\d\d))",
        plain, re.ASCII,
    )  # fmt: skip
    if not found:
        raise BadDate(field=field)
    try:
        return date(int(found[1]), int(found[2] or found[4]), int(found[3] or found[5]))
    except ValueError:
        raise BadDate(field=field) from None


def _facts_said(cells: Mapping[str, str]) -> list[tuple[str, str, Refused | None]]:
    """(kind, value, refusal) for each category, level, grade and insurance the row names."""
    said: list[tuple[str, str, Refused | None]] = []
    words = re.split(r"[;;、,,|/\s]+", cells.get("categories", ""))
    for word in dict.fromkeys(filter(None, words)):
        code = CATEGORY_OF.get(word.lower())
        said.append(
            ("category", code or "", None if code else _unknown("categories", word, CATEGORIES))
        )
    level = cells.get("care_level", "").lower()
    if level and level not in ("无", "none"):
        code = CARE_LEVEL_OF.get(level)
        said.append(
            ("care_level", code or "", None if code else _unknown("care_level", level, CARE_LEVELS))
        )
    grade = cells.get("disability_grade", "").removesuffix("级")
    if grade and grade != "无":
        said.append(("disability_grade", GRADE_WORDS.get(grade, grade), None))
    covered = cells.get("long_term_care", "").lower()
    if covered in YES:
        said.append(("long_term_care", "covered", None))
    elif covered not in NO:
        known = {"yes": Text("是", "yes"), "no": Text("否", "no")}
        said.append(("long_term_care", "", _unknown("long_term_care", covered, known)))
    return said


def _unknown(field: str, given: str, known: Mapping[str, Text]) -> UnknownValue:
    names = Text(
        "、".join(text.zh for text in known.values()), ", ".join(text.en for text in known.values())
    )
    return UnknownValue(field=field, given=ric.scrub(given)[:40], known=names)


