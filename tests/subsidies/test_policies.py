"""Policy files: read, refused by key and reason, merged, chosen by day, kept as canonical text."""

from __future__ import annotations

import json
import re
from datetime import date

import msgspec
import pytest

from canteen.subsidies import parts, shapes
from canteen.subsidies.policies import (
    SHIPPED,
    NoPolicyInForce,
    Overlay,
    Policy,
    PolicyInvalid,
    check_set,
    covers,
    from_json,
    load_folder,
    merge,
    policy_for,
    read_file,
    read_toml,
)
from canteen.subsidies.pricing import Case, ElderFacts, quote
from canteen.subsidies.shapes import Caps
from tests.subsidies.cases import hexi, policy, shipped

GOOD = (SHIPPED / "tianjin-v2024.toml").read_text(encoding="utf-8")
PUTUO = (SHIPPED / "shanghai-putuo.toml").read_text(encoding="utf-8")
HEXI = (SHIPPED / "tianjin-hexi.toml").read_text(encoding="utf-8")
replace = msgspec.structs.replace

NAMES = {
    "tianjin-V2019": "津政办发〔2019〕30号",
    "tianjin-V2022": "关于完善天津市老年人助餐服务工作若干措施",
    "tianjin-V2024": "津民发〔2024〕7号",
    "tianjin-hexi-V2020": "河西区",
    "beijing-V2022": "北京市养老助餐",
    "guangzhou-V2024": "穗民规字〔2024〕3号",
    "shanghai-putuo-V2025": "普陀区",
    "shanghai-huangpu-V2024": "黄浦区",
    "shenzhen-V2019": "深民〔2019〕23号",
    "zengcheng-V2020": "增城区",
}


def test_the_shipped_policies_are_sound_and_name_their_documents():
    documents = {d.code: d.document for d in load_folder()}
    assert documents.keys() == NAMES.keys()
    for code, words in NAMES.items():
        assert words in documents[code]


def refused(text: str) -> PolicyInvalid:
    with pytest.raises(PolicyInvalid) as caught:
        read_toml(text)
    assert caught.value.text.zh and caught.value.text.en
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        ('name = "tianjin"', "", "name", "missing"),
        ('name = "tianjin"', "name = 5", "name", "Expected str, got int"),
        ('name = "tianjin"', 'name = "天津"', "name", "matching"),
        ('name = "tianjin"', 'name = "tianjin"\nnmae = 1', "nmae", "no such key"),
        ("2024-05-17", '"soon"', "effective_from", "a date"),
        ("2024-05-17", "2024-05-17\neffective_to = 2024-05-16", "effective_to", "before"),
        ('"120000"', '"12"', "territory", "matching"),
        ('source_mark = "V"', 'source_mark = "X"', "source_mark", "V, M, D"),
        ('"breakfast", ', '"brunch", ', "meals[0]", "breakfast, lunch, dinner"),
        ('["breakfast", "lunch", "dinner"]', "[]", "meals", "At least one"),
        ('"breakfast", ', '"lunch", ', "meals[1]", "lunch is repeated"),
        ("per_day = 1", "per_day = 0", "caps.per_day", ">= 1"),
        ("per_day = 1, per_week = 5", "per_day = 6, per_week = 5", "caps.per_week", "per_day"),
        ("per_day = 1", "per_fortnight = 1", "caps.per_fortnight", "no such key"),
        ("min_age = 80", "min_age = -1", "eligibility[0].min_age", ">= 0"),
        ("min_age = 80", "min_age = true", "eligibility[0].min_age", "got bool"),
        ("min_age = 60\nmax_age = 69", "min_age = 69\nmax_age = 60", "eligibility[3].max_age",
         "below min_age"),
        ('code = "G2"', 'code = "G1"', "eligibility[1].code", "G1 is repeated"),
        ('["visiting_care"]', '["visitng_care"]', "eligibility[1].all_categories[0]",
         "Unknown category visitng_care"),
        ('care_levels = ["severe"]', 'care_levels = ["bad"]', "eligibility[2].care_levels[0]",
         "mild, moderate, severe"),
        ("disability_grades = [1, 2]", "disability_grades = [0]",
         "eligibility[3].disability_grades[0]", ">= 1"),
        ('{ zh = "天津户籍80周岁及以上", en', '{ en', "eligibility[0].title.zh", "missing"),
        ("vary_bp = 5000", "vary_bp = 50000", "standard_set.vary_bp", "<= 10000"),
        ("[standard_set]\ndefault_fen = 1300\nvary_bp = 5000\nleast_kinds = 2", "",
         "gates[0].kind", "needs a standard_set"),
        ('kind = "price_at_least_standard_set"', 'kind = "full_moon"', "gates[0].kind",
         "spend_above_subsidy"),
        ('kind = "price_at_least_standard_set"', 'kind = "spend_at_least"', "gates[0].fen",
         "missing"),
        ('kind = "price_at_least_standard_set"', 'kind = "services"\nservices = []',
         "gates[0].services", "At least one"),
        ('kind = "flat", fen = 300', 'kind = "flat", fen = 0', "layers[0].amount.fen", ">= 1"),
        ('kind = "flat", fen = 300', 'kind = "flat", fen = 3.5', "layers[0].amount.fen",
         "got float"),
        ('kind = "flat", fen = 300', 'kind = "flta", fen = 300', "layers[0].amount.kind",
         "flat, percent, up_to"),
        ('kind = "flat", fen = 300', 'kind = "percent", rate_bp = 2500, ceiling_fen = -3',
         "layers[0].amount.ceiling_fen", ">= 1"),
        ('kind = "flat", fen = 300', 'kind = "percent", rate_bp = 25000',
         "layers[0].amount.rate_bp", "<= 10000"),
        ('kind = "flat", fen = 300', 'kind = "by_band", bands = []', "layers[0].amount.bands",
         "At least one band"),
        ('kind = "flat", fen = 300', 'kind = "by_tier", tiers = [{ tier = 4, fen = 1 }]',
         "layers[0].amount.tiers[0].tier", "<= 3"),
        ('kind = "flat", fen = 300',
         'kind = "by_tier", tiers = [{ tier = 1, fen = 1 }, { tier = 1, fen = 2 }]',
         "layers[0].amount.tiers[1].tier", "repeated"),
        ('kind = "flat", fen = 300', 'kind = "rest", diner_pays_fen = 9, up_to_price_fen = 9',
         "layers[0].amount.diner_pays_fen", "nothing is left"),
        ('kind = "flat", fen = 200', 'kind = "rest"', "enterprise[0].amount.kind", "by_grade"),
        ('{ code = "city", share_bp = 5000 }', '{ code = "city", share_bp = 4999 }',
         "layers[0].funders", "sum to 9999"),
        ('{ code = "city", share_bp = 5000 }', '{ code = "district", share_bp = 5000 }',
         "layers[0].funders[1].code", "district is repeated"),
        ('[{ code = "city", share_bp = 5000 }, { code = "district", share_bp = 5000 }]', "[]",
         "layers[0].funders", "At least one funder"),
        ('code = "elder_meal"', 'code = "elder_meal"\ngroups = ["G9"]', "layers[0].groups[0]",
         "no group with the code G9"),
        ('code = "elder_meal"', 'code = "elder_meal"\ngroups = ["*", "G1"]', "layers[0].groups",
         "nothing else"),
        ('code = "elder_meal"', 'code = "elder_meal"\nplace = "moon"', "layers[0].place",
         "home_street"),
        ('document = "津民发〔2024〕7号', f'document = "{"文" * 201}', "document",
         "longer than 200"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_refused_naming_the_key_and_the_reason(old, new, path, reason):
    assert old in GOOD
    error = refused(GOOD.replace(old, new, 1))
    assert error.field == path
    assert reason in error.text.en


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        ('groups = ["B"], fen', 'groups = ["X"], fen', "layers[0].amount.bands[1].groups[0]",
         "no group with the code X"),
        ('groups = ["B"], fen', 'groups = ["A"], fen', "layers[0].amount.bands[1]",
         "earlier band covers"),
        ('groups = ["B"], fen', "min_age = 70, max_age = 60, fen",
         "layers[0].amount.bands[1].max_age", "below min_age"),
    ],
)  # fmt: skip
def test_bands_that_lead_nowhere_are_refused(old, new, path, reason):
    error = refused(PUTUO.replace(old, new, 1))
    assert error.field == path
    assert reason in error.text.en


def test_a_delivery_subsidy_that_no_gate_lets_through_is_refused():
    shenzhen = (SHIPPED / "shenzhen.toml").read_text(encoding="utf-8")
    error = refused(shenzhen + '\n[[gates]]\nkind = "services"\nservices = ["eat_in"]\n')
    assert error.field == "delivery"


def test_a_policy_that_pays_nobody_is_refused():
    error = refused(GOOD[: GOOD.index("[[layers]]")])
    assert error.field == "layers"


def test_every_defect_is_kept_not_only_the_first():
    text = GOOD.replace('"visiting_care"', '"no_such"').replace("max_age = 69", "max_age = 5")
    assert [d.path for d in refused(text).defects] == [
        "eligibility[1].all_categories[0]",
        "eligibility[3].max_age",
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [("name = [", "检查末尾"), ("= 1\n", "第 1 行"), ('a = "b"\nc = \x00\n', "第 2 行")],
)
def test_what_is_not_toml_is_refused_by_its_line(text, where):
    told = refused(text).text
    assert "TOML" in told.en and where in told.zh


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(PolicyInvalid, match="cannot be read"):
        read_file(tmp_path / "missing.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyInvalid, match="UTF-8"):
        read_file(tmp_path / "bytes.toml")


def test_no_single_key_can_be_misspelt_unnoticed():
    """Every key of every shipped file, spoilt one at a time, is refused."""
    for path in sorted(SHIPPED.glob("*.toml")):
        raw = msgspec.toml.decode(path.read_text(encoding="utf-8"))
        for spoilt in _misspelt(raw):
            with pytest.raises(PolicyInvalid):
                from_json(msgspec.json.encode(spoilt).decode())


def _misspelt(value):
    """Copies of a decoded file, each with one key renamed."""
    if isinstance(value, dict):
        for key in value:
            yield {f"{k}x" if k == key else k: v for k, v in value.items()}
            for inner in _misspelt(value[key]):
                yield {**value, key: inner}
    elif isinstance(value, list):
        for i, each in enumerate(value):
            for inner in _misspelt(each):
                yield [*value[:i], inner, *value[i + 1 :]]


def test_the_canonical_text_is_stable_and_does_not_depend_on_the_order_of_keys():
    v2024 = policy("tianjin-V2024")
    text = v2024.to_json()
    assert Policy.from_json(text) == v2024
    shuffled = json.dumps(dict(reversed(json.loads(text).items())))
    assert Policy.from_json(shuffled).digest == v2024.digest
    spelt_out = GOOD.replace("caps =", 'delivered = "till"\ndays = "every_day"\ncaps =')
    assert read_toml(spelt_out).digest == v2024.digest
    assert read_toml(GOOD.replace("fen = 300", "fen = 301")).digest != v2024.digest
    assert re.fullmatch(r"[0-9a-f]{64}", v2024.digest)


def test_an_overlay_is_not_taken_for_a_policy_nor_a_policy_for_an_overlay():
    overlay = read_toml(HEXI)
    assert isinstance(overlay, Overlay)
    assert Overlay.from_json(overlay.to_json()) == overlay
    with pytest.raises(PolicyInvalid):
        Policy.from_json(overlay.to_json())
    with pytest.raises(PolicyInvalid):
        Overlay.from_json(policy("tianjin-V2024").to_json())


@pytest.mark.parametrize(
    ("district", "on", "code"),
    [
        ("120101", "2019-09-01", "tianjin-V2019"),
        ("120101", "2022-07-07", "tianjin-V2019"),
        ("120101", "2022-07-08", "tianjin-V2022"),
        ("120101", "2024-05-16", "tianjin-V2022"),
        ("120101", "2024-05-17", "tianjin-V2024"),
        ("120103", "2019-12-31", "tianjin-V2019"),
        ("120103", "2020-01-01", "tianjin+hexi-V2019+V2020"),
        ("120103", "2023-01-01", "tianjin+hexi-V2022+V2020"),
        ("120103", "2026-01-01", "tianjin+hexi-V2024+V2020"),
        ("440106", "2026-01-01", "guangzhou-V2024"),
        ("440118", "2026-01-01", "zengcheng-V2020"),
        ("310107", "2026-01-01", "shanghai-putuo-V2025"),
    ],
)
def test_the_policy_of_a_district_on_a_day(district, on, code):
    assert policy_for(shipped(), district, date.fromisoformat(on)).code == code


@pytest.mark.parametrize(
    ("district", "on"), [("120101", "2019-08-31"), ("500101", "2026-01-01"), ("", "2026-01-01")]
)
def test_where_or_when_no_policy_holds_that_is_said(district, on):
    with pytest.raises(NoPolicyInForce) as caught:
        policy_for(shipped(), district, date.fromisoformat(on))
    assert caught.value.field == "on"


def test_a_merged_policy_is_a_policy_of_its_own():
    merged = hexi("tianjin-V2022")
    assert (merged.name, merged.version, merged.territory) == (
        "tianjin+hexi", "V2022+V2020", "120103",
    )  # fmt: skip
    assert merged.effective_from == date(2022, 7, 8)
    assert merged.source_mark == "D"
    assert Policy.from_json(merged.to_json()) == merged
    assert merged.layers[0].groups == ("G1", "G2")
    assert merged.layers[1].groups == ("HX70",)
    assert len(merged.document) <= 200


def test_an_overlay_without_groups_speaks_of_everyone_and_may_replace_caps():
    text = HEXI[: HEXI.index("[[eligibility]]")] + "[caps]\nper_day = 2\nper_week = 7\n"
    merged = merge(policy("tianjin-V2024"), read_toml(text))
    assert merged.caps == Caps(per_day=2, per_week=7)
    top_up = HEXI.replace("[[layers]]", '[[layers]]\ngroups = ["*"]', 1)
    assert merge(policy("tianjin-V2024"), read_toml(top_up)).layers[1].groups == ()


def test_an_overlay_that_adds_nothing_is_refused():
    assert refused(HEXI[: HEXI.index("[[eligibility]]")]).field == "extends"


def family(*spans):
    """Versions of one family with these first and last days."""
    base = policy("tianjin-V2024")
    return [
        replace(
            base, version=f"T{i}", document=f"第{i}号文",
            effective_from=date.fromisoformat(first),
            effective_to=date.fromisoformat(last) if last else None,
        )
        for i, (first, last) in enumerate(spans)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spans", "reason"),
    [
        ([("2024-01-01", "2024-06-30"), ("2024-07-02", None)],
         "a gap from Mon 1 Jul 2024 to Mon 1 Jul 2024"),
        ([("2024-01-01", "2024-06-30"), ("2024-06-30", None)], "overlap from Sun 30 Jun 2024"),
        ([("2024-01-01", None), ("2024-01-01", None)], "overlap from Mon 1 Jan 2024"),
    ],
)  # fmt: skip
def test_gaps_and_overlaps_in_dates_are_refused_naming_both_documents(spans, reason):
    with pytest.raises(PolicyInvalid) as caught:
        check_set(family(*spans))
    text = caught.value.text
    assert reason in text.en
    for side in text:
        assert "第0号文" in side and "第1号文" in side


def test_versions_that_follow_each_other_are_sound():
    check_set(family(("2024-01-01", "2024-06-30"), ("2024-07-01", None)))
    check_set(family(("2024-01-01", None), ("2024-07-01", None), ("2025-01-01", "2025-12-31")))


def test_the_next_versions_first_day_ends_the_one_before():
    versions = family(("2024-01-01", None), ("2024-07-01", None))
    assert policy_for(versions, "120101", date(2024, 6, 30)).version == "T0"
    assert policy_for(versions, "120101", date(2024, 7, 1)).version == "T1"


def test_a_set_with_two_rulers_of_one_city_is_refused():
    other = replace(policy("tianjin-V2024"), name="rival", version="R1")
    with pytest.raises(PolicyInvalid, match="same territory"):
        check_set([policy("tianjin-V2024"), other])
    check_set([policy("tianjin-V2024"), replace(other, territory="120101")])


def test_a_version_number_used_twice_is_refused():
    again = replace(policy("tianjin-V2024"), effective_from=date(2030, 1, 1))
    with pytest.raises(PolicyInvalid, match="same version"):
        check_set([policy("tianjin-V2024"), again])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('extends = "tianjin"', 'extends = "tianjn"', "does not exist"),
        ('"120103"\n#', '"310101"\n#', "do not lie within"),
        ('code = "HX70"', 'code = "G1"', "G1 is repeated"),
        ('code = "hexi_meal"', 'code = "hexi_meal"\ngroups = ["G7"]', "no group with the code G7"),
    ],
)
def test_an_overlay_that_does_not_fit_its_base_is_refused_in_the_set(old, new, reason):
    assert old in HEXI
    overlay = read_toml(HEXI.replace(old, new, 1))
    with pytest.raises(PolicyInvalid, match=reason):
        check_set([policy("tianjin-V2024"), overlay])


def test_territories_contain_their_districts():
    assert covers("120000", "120103") and covers("120103", "120103")
    assert covers("440100", "440118")
    assert not covers("440100", "440304") and not covers("120103", "120101")


GUIDE = (SHIPPED.parent.parent / "docs" / "policies.md").read_text(encoding="utf-8")


def test_the_examples_of_the_guide_are_sound_together():
    examples = [read_toml(text) for text in re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)]
    assert len(examples) == 2
    check_set(examples)
    case = Case.from_dict(json.loads(re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)[0]))
    found = quote(examples[0], case)
    assert (found.subsidy_fen, found.payable_fen) == (400, 1200)
    assert found.funders()["elder"] == {"city": 240, "district": 160}


def test_the_guide_explains_every_key():
    kinds = [
        each
        for module in (parts, shapes)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, parts.Shape)
    ]
    keys = {field.name for each in [*kinds, Case, ElderFacts] for field in _fields(each)}
    keys |= {each.__struct_config__.tag for each in kinds if each.__struct_config__.tag}
    unexplained = sorted(key for key in keys if not re.search(rf"\b{key}\b", GUIDE))
    assert unexplained == []


def _fields(struct):
    return msgspec.structs.fields(struct)
