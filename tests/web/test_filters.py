"""What pages say: money, days, masks, counts and language."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from types import SimpleNamespace

import pytest
from flask import Flask, g, render_template_string

from canteen.web import filters, language
from canteen.words import Text


@pytest.fixture
def page(tmp_path):
    """A bare Flask application with nothing but the filters, as a template sees them."""
    root = filters.STATIC.parents[1]
    app = Flask("page", static_folder=str(filters.STATIC), template_folder=str(root / "templates"))
    app.secret_key = "only for this test"
    filters.install(app)
    app.jinja_env.globals["csrf_token"] = lambda: "a-token"

    @app.get("/say")
    def say():
        return language.t("你好", "Hello")

    return app


def shown(app: Flask, source: str, lang: str = "zh", path: str = "/say", **values: object) -> str:
    with app.test_request_context(path, headers={"Cookie": f"lang={lang}"}):
        return render_template_string(source, **values)


def english(app: Flask):
    return app.test_request_context("/say", headers={"Cookie": "lang=en"})


def test_money_is_bare_yuan_and_nothing_stays_nothing():
    assert filters.money(1300) == "13.00"
    assert filters.money(-5) == "−0.05"
    assert filters.money(123456789) == "1,234,567.89"
    assert filters.money(None) == ""


def test_the_money_macro_says_the_unit_once_in_the_readers_language(page):
    source = '{% from "components/money.html" import money %}{{ money(1300) }}'
    assert shown(page, source).count("元") == 1
    assert "13.00" in shown(page, source, "en")
    assert shown(page, source, "en").count("yuan") == 1


def test_a_day_is_said_as_people_say_it(page):
    assert filters.day(date(2026, 11, 21)) == "11月21日(周六)"
    assert filters.day(date(2026, 11, 21), year=True) == "2026年11月21日(周六)"
    with english(page):
        assert filters.day(date(2026, 11, 21)) == "Sat 21 Nov"
        assert filters.day("2026-11-21", True) == "Sat 21 Nov 2026"


def test_an_instant_belongs_to_its_day_in_shanghai():
    late = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    assert filters.day(late) == "11月21日(周六)"
    assert filters.day_time(late) == "11月21日(周六) 00:30"
    assert filters.time_of_day(late) == "00:30"
    assert filters.time_of_day(time(9, 5)) == "09:05"


def test_a_month_is_read_from_its_period_or_any_day_in_it(page):
    assert filters.month("2026-10") == "2026年10月"
    assert filters.month(date(2026, 10, 31)) == "2026年10月"
    with english(page):
        assert filters.month("2026-10") == "Oct 2026"


@pytest.mark.parametrize(
    ("secret", "seen"),
    [
        ("129901194005011234", "129901••••••••1234"),
        ("19900001234", "199••••1234"),
        ("TJ20260001", "••••••0001"),
        ("1234", "•••4"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_mask_hides_the_birth_date_and_the_middle(secret, seen):
    assert filters.masked(secret) == seen


@pytest.mark.parametrize(
    ("rate_bp", "said"),
    [(0, "0%"), (1000, "10%"), (1250, "12.5%"), (1234, "12.34%"), (5, "0.05%"), (-250, "−2.5%")],
)
def test_a_rate_in_basis_points_is_said_in_percent(rate_bp, said):
    assert filters.percent(rate_bp) == said


def test_counts_are_grouped_thinly_from_ten_thousand():
    assert filters.count(999) == "999"
    assert filters.count(12345) == "12,345"
    assert filters.count(-1234567) == "−1,234,567"


def test_outside_a_request_the_language_is_chinese():
    assert language.locale() == "zh"
    assert language.t("第 {n} 餐", "Meal {n}", n=3) == "第 3 餐"


def test_the_cookie_goes_before_the_account_and_the_account_before_chinese(page):
    with page.test_request_context("/say"):
        assert language.locale() == "zh"
        g.actor = SimpleNamespace(locale="en")
        assert language.locale() == "en"
    with page.test_request_context("/say", headers={"Cookie": "lang=zh"}):
        g.actor = SimpleNamespace(locale="en")
        assert language.locale() == "zh"
    with page.test_request_context("/say", headers={"Cookie": "lang=xx"}):
        assert language.locale() == "zh"


def test_words_without_values_keep_their_braces(page):
    assert language.t("写成 {这样}", "like {this}") == "写成 {这样}"
    assert shown(page, "{{ t('{a} 起', 'from {a}', a=what) }}", "en", what=Text("周一", "Mon")) == (
        "from Mon"
    )


def test_a_plain_link_changes_the_size_of_text_and_it_stays(page):
    client = page.test_client()
    assert "text_size=3" in client.get("/say?text_size=3").headers["Set-Cookie"]
    assert "Set-Cookie" not in client.get("/say?text_size=9").headers
    with page.test_request_context("/say", headers={"Cookie": "text_size=2"}):
        assert language.text_size() == "2"


def test_a_changed_query_keeps_the_rest(page):
    with page.test_request_context("/say?district=120105&page=2&q=陈"):
        assert filters.with_query(page=3) == "/say?district=120105&q=%E9%99%88&page=3"
        assert filters.with_query(page=None, q=None) == "/say?district=120105"


def test_an_assets_address_carries_a_mark_of_its_content(page):
    with page.test_request_context("/say"):
        assert "?v=" in filters.asset("css/base.css")
        assert filters.asset("css/no_such.css").endswith("/css/no_such.css")


def test_the_price_strip_is_an_equation_with_its_payers_and_its_reason(page):
    source = '{% from "components/price_strip.html" import price_strip %}{{ price_strip(quote) }}'
    quote = {
        "list_fen": 1500, "discount_fen": 300, "subsidy_fen": 300, "payable_fen": 900,
        "payers": [(Text("市", "city"), 150), (Text("区", "district"), 150)],
        "why": Text("满 80 岁", "80 or <over>"),
    }
    html = shown(page, source, "en", quote=quote)
    sums = [html.index(part) for part in ("15.00", "3.00", "city 1.50", "9.00")]
    assert sums == sorted(sums)
    assert "80 or &lt;over&gt;" in html
    assert html.count("yuan") == 1


@pytest.mark.parametrize(
    ("used", "today_used", "on", "words"),
    [
        (2, True, date(2026, 11, 24), ["那一周 5 次", "11月24日(周二)的已用"]),
        (3, False, date(2026, 11, 21), ["已用 3 次", "还有 2 次", "下周从11月23日(周一)起"]),
        (3, True, date(2026, 11, 20), ["今天已用，明天可以再用"]),
        (3, True, date(2026, 11, 22), ["明天是新的一周"]),
        (5, True, date(2026, 11, 20), ["本周 5 次已用完", "11月23日(周一)起可以再用"]),
    ],
)
def test_the_week_dots_always_come_with_words(page, used, today_used, on, words):
    html = shown(
        page,
        '{% from "components/week_dots.html" import week_dots %}'
        "{{ week_dots(used, 5, on, monday, today_used, today) }}",
        used=used, today_used=today_used, on=on, monday=date(2026, 11, 23),
        today=min(on, date(2026, 11, 22)),
    )
    assert html.count("week-dot-used") == used
    assert html.count("week-ring") == (0 if used == 5 and not today_used else 1)
    for word in words:
        assert word in html


def test_the_chain_says_who_holds_it_since_when_and_by_when(page):
    steps = [
        {"label": Text("街道", "Street"), "state": "returned", "who": "李敏"},
        {"label": Text("区", "District"), "state": "current", "since": date(2026, 11, 18),
         "due": date(2026, 11, 25)},
    ]
    html = shown(
        page, '{% from "components/chain.html" import chain %}{{ chain(steps) }}', steps=steps
    )
    for words in ("已退回", "李敏", "正在办理", "11月18日(周三) 起", "应于 11月25日(周三) 前办完"):
        assert words in html


@pytest.mark.parametrize("layout", ["bureau", "till", "elder", "public"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_layout_is_whole_and_carries_nothing_inline(page, layout, lang):
    html = shown(
        page,
        "{% extends 'base_" + layout + ".html' %}{% block main %}<h1>x</h1>{% endblock %}",
        lang,
        actor=SimpleNamespace(name="李敏", role_label=None, territory_label=Text("区", "District")),
        nav=[(Text("待办", "To do"), "/", True, 12000)],
    )
    assert f'<html lang="{"en" if lang == "en" else "zh-Hans-CN"}"' in html
    assert 'href="#main"' in html
    assert 'action="/sign-out"' in html
    assert " style=" not in html
    assert "<style" not in html
    assert html.count("<script") == html.count("<script type=\"module\" src=")
