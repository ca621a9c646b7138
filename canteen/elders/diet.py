"""What a diet note asks of a till: dishes to avoid and dishes to offer, read from plain words."""

from __future__ import annotations

import re
import unicodedata

# A note is written by hand at the street office: what a dish is marked with, and the words for it.
AVOID = {
    "peanut": ("花生", "peanut", "groundnut"),
    "egg": ("鸡蛋", "蛋类", "蛋", "egg"),
    "milk": ("牛奶", "奶", "乳糖", "乳制品", "milk", "dairy", "lactose"),
    "seafood": (
        "海鲜", "水产", "虾", "蟹", "鱼", "贝", "seafood", "fish", "shrimp", "prawn", "crab",
    ),
    "gluten": ("麸质", "面筋", "麦麸", "小麦", "gluten", "wheat", "coeliac", "celiac"),
}  # fmt: skip
WANTED = {
    "low_salt": (
        "少盐", "低盐", "低钠", "清淡", "忌盐", "忌咸", "高血压", "血压高", "low salt", "low-salt",
        "less salt", "no salt", "low sodium", "hypertension", "high blood pressure",
    ),
    "low_sugar": (
        "少糖", "低糖", "无糖", "忌糖", "忌甜", "糖尿病", "血糖高", "高血糖", "low sugar",
        "low-sugar", "less sugar", "no sugar", "sugar-free", "diabet",
    ),
    "soft": (
        "软", "烂", "牙", "咀嚼", "吞咽", "假牙", "soft", "teeth", "tooth", "dentur", "chew",
        "swallow",
    ),
    "vegetarian": ("素食", "吃素", "素", "忌荤", "不吃肉", "vegetarian", "vegan", "no meat"),
}  # fmt: skip
# Words in which a word above means nothing of the kind.
NOT_MEANT = (
    "蛋白", "皮蛋白", "激素", "维生素", "色素", "毒素", "抗生素", "胰岛素", "荤素", "素质",
    "软件", "奶奶", "姥姥", "鱼油胶囊", "eggplant",
)  # fmt: skip
_PARTS = re.compile(r"[,。.;/|\n]+|但是?|不过(?!敏)|\bbut\b")
_LIST = re.compile(r"、")
# "对花生不过敏", "不忌海鲜", "能吃蛋", "no egg allergy": said to be allowed, so nothing to avoid.
_ALLOWED = re.compile(
    r"不过敏|不会过敏|没有?过敏|无过敏|无[^，,]{0,8}过敏|未见过敏|不忌|无需忌|不用忌|不需忌|可以吃|可吃"
    r"|能吃|爱吃|喜欢吃|喜食"
    r"|not allergic|no [a-z ]{0,20}allerg|without allerg|may eat|can eat|likes|loves|is fine"
)
_FORBIDDEN = re.compile(
    r"不可以吃|不可吃|不能吃|不爱吃|不喜欢吃|may not eat|can ?not eat|can't eat|dislikes"
)
_STILL_FORBIDDEN = re.compile(r"过敏|忌|禁|allerg")
# "无高血压", "没有糖尿病", "不用少盐", "no diabetes": the need is denied.
_DENIED = re.compile(
    r"(?:无|没有|没|未患|不用|不需要?|无需|非|并非|不必|no|not|without|needs? no)\s*$"
)
_OWN_DENIAL = ("不吃肉", "忌荤", "no salt", "no sugar", "无糖", "no meat")


def marks(notes: str) -> tuple[list[str], list[str]]:
    """The marks of dishes to warn of and of dishes to offer, from the words of a diet note.

    Chinese and English; each part of the note stands for itself, so that "花生过敏，海鲜不过敏"
    warns of peanut alone, and what could mean both warns. What cannot be read gives nothing: the
    note itself is always shown beside the marks.
    """
    avoid: list[str] = []
    wanted: list[str] = []
    text = unicodedata.normalize("NFKC", notes).lower()
    for word in NOT_MEANT:
        text = text.replace(word, " ")
    for part in _parts(text):
        if not _allowed(part):
            avoid += [mark for mark, words in AVOID.items() if any(w in part for w in words)]
        wanted += [mark for mark, words in WANTED.items() if _asked(part, words)]
    return list(dict.fromkeys(avoid)), list(dict.fromkeys(wanted))


def _parts(text: str) -> list[str]:
    """The note's parts; "对海鲜、花生不过敏" says one thing of both, another list several."""
    found = []
    for part in _PARTS.split(text):
        found += [part] if part.strip().startswith("对") else _LIST.split(part)
    return found


def _allowed(part: str) -> bool:
    """Whether a part says that something may be eaten, and nowhere that it may not."""
    plain = _FORBIDDEN.sub("忌", part)
    rest = _ALLOWED.sub(" ", plain)
    return rest != plain and not _STILL_FORBIDDEN.search(rest)


def _asked(part: str, words: tuple[str, ...]) -> bool:
    """Whether one of the words stands there without a denial before it."""
    for word in words:
        place = part.find(word)
        if place >= 0 and (word in _OWN_DENIAL or not _DENIED.search(part[:place])):
            return True
    return False
