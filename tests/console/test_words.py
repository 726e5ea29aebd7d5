"""Languages, numbers and times."""

import re
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.access.audit import Action
from gateway.city.ledger.codes import EQUIPMENT_CLASSES, STATUSES
from gateway.core.status import Quality, Reason
from gateway.web import formats
from gateway.web.i18n import LANGUAGES, Language, catalog, cause_words, choose, text

GATEWAY = Path(__file__).parents[2] / "gateway"
_KEY = re.compile(r"""\bt\("([a-z_.0-9A-Z]+)"(?!\s*~)""")


def _places(words: str) -> set[str]:
    """The places of a text, without those that choose between one and many: Chinese has none."""
    places = Formatter().parse(words)
    return {name for _, name, chosen, _ in places if name and "|" not in (chosen or "")}


def test_both_languages_have_the_same_keys_and_places() -> None:
    zh, en = catalog("zh"), catalog("en")
    assert zh.keys() == en.keys()
    for key in zh:
        assert _places(zh[key]) == _places(en[key]), key
        assert zh[key].strip(), key
        assert en[key].strip(), key


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "1 machine"), ("1", "1 machine"), (0, "0 machines"), (21, "21 machines")],
)
def test_one_machine_is_no_machines(count: object, words: str) -> None:
    assert text("en", "quality.clock_machines", count=count) == words


def test_no_text_counts_one_of_many() -> None:
    """``{count} machines`` is wrong for one of them; the plural stands in a place of its own."""
    counted = re.compile(r"\{\w+\} (?!ms\b)[a-z]+s\b")
    assert [words for words in catalog("en").values() if counted.search(words)] == []


def test_every_key_that_a_template_names_exists() -> None:
    templates = GATEWAY.glob("**/templates/*.html")
    named = {
        key
        for template in templates
        for key in _KEY.findall(template.read_text(encoding="utf-8"))
        if not key.endswith(".")
    }
    assert len(named) > 100
    assert named <= catalog("zh").keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_words(language: Language) -> None:
    known = catalog(language)
    for action in Action:
        assert f"audit.action.{action}" in known
    for reason in Reason:
        assert f"reason.{reason.code}" in known
    for quality in Quality:
        assert f"quality_word.{quality.name.lower()}" in known
    for status in STATUSES:
        assert f"status.{status}" in known
    for kind in EQUIPMENT_CLASSES:
        assert f"class.{kind}" in known
    assert cause_words(language, "from_the_future") == "from_the_future"


@pytest.mark.parametrize(
    ("query", "cookie", "accept", "chosen"),
    [
        (None, None, "", "zh"),
        (None, None, "en-GB,en;q=0.9,zh;q=0.8", "en"),
        (None, None, "fr;q=1, zh-TW;q=0.3, en;q=0.2", "zh"),
        (None, "en", "zh-CN", "en"),
        ("zh", "en", "en", "zh"),
        ("klingon", "en", "zh", "en"),
        (None, None, "en;q=broken,zh;q=0.1", "zh"),
        (None, None, "en;q=0", "zh"),
    ],
)
def test_choice_of_language(
    query: str | None, cookie: str | None, accept: str, chosen: str
) -> None:
    assert choose(query, cookie, accept) == chosen


@given(st.text(), st.text(), st.text())
def test_any_header_gives_a_language(query: str, cookie: str, accept: str) -> None:
    assert choose(query, cookie, accept) in LANGUAGES


def test_a_missing_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        text("zh", "no.such.key")


def test_times_are_those_of_shanghai() -> None:
    assert formats.moment(1_763_876_412_345) == "2025-11-23 13:40:12"
    assert formats.clock(1_763_876_412_345) == "13:40:12"
    assert formats.moment(None) == formats.moment(0) == "—"
    assert formats.moment(2**62) == "—"


@pytest.mark.parametrize(
    ("length_ms", "zh", "en"),
    [
        (0, "0 秒", "0 s"),
        (59_999, "59 秒", "59 s"),
        (60_000, "1 分钟", "1 min"),
        (192_000, "3 分钟 12 秒", "3 min 12 s"),
        (3_600_000, "1 小时", "1 h"),
        (90_061_000, "1 天 1 小时", "1 d 1 h"),
        (-5, "0 秒", "0 s"),
    ],
)
def test_durations(length_ms: int, zh: str, en: str) -> None:
    assert formats.duration("zh", length_ms) == zh
    assert formats.duration("en", length_ms) == en


def test_ages_have_one_unit() -> None:
    assert formats.age("zh", 192_000) == "3 分钟前"
    assert formats.age("en", 90_061_000) == "1 d ago"


def test_a_time_of_today_needs_no_date() -> None:
    now_ms = 1_763_876_412_345
    assert formats.when(now_ms - 60_000, now_ms) == "13:39:12"
    assert formats.when(now_ms - 86_400_000, now_ms) == "2025-11-22 13:40:12"
    assert formats.when(None, now_ms) == "—"


def test_sizes() -> None:
    assert [formats.size(length) for length in (0, 1023, 1536, 20 * 2**20)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "20.0 MiB",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "yes"),
        (1_234_567, "1,234,567"),
        (2.5, "2.50"),
        (1_234_567.891, "1,234,567.89"),
        (0.0, "0.00"),
        (0.000123456, "0.0001235"),
        (float("nan"), "—"),
        (float("inf"), "—"),
        ("RUNNING", "RUNNING"),
        (None, "—"),
    ],
)
def test_readings(value: object, shown: str) -> None:
    assert formats.reading("en", value) == shown
