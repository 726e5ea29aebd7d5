"""Handles, suffix patterns, check characters, the login password, credit codes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_config.models import uscc
from edge_config.models.identifiers.suffix import MAX_SUFFIX, SuffixPattern, check_character
from gateway.identifier.codes.handle import Handle, HandleError
from gateway.identifier.password import login_password
from gateway.identifier.template import EQUIPMENT_ITEMS, UNKNOWN, equipment_values
from tests.support.city_db import USCCS


@pytest.mark.parametrize(
    "prefix",
    [
        "88.709.911",
        "88.1021.150",
        "88.101.0042",
        "86.709.612",
        "88.168.88",
        "88.111.1",
        "88.999.QZ01",
    ],
)
def test_national_prefixes(prefix: str) -> None:
    handle = Handle.parse(f"{prefix}/EQ/001")
    assert (handle.prefix, handle.suffix) == (prefix, "EQ/001")
    assert handle.national
    assert str(handle) == f"{prefix}/EQ/001"


@pytest.mark.parametrize("text", ["10.1000/182", "0.NA/88.100.1", "87.1.1/x", "88.12345.1/x"])
def test_other_handles_are_no_national_ones(text: str) -> None:
    assert not Handle.parse(text).national


@pytest.mark.parametrize("text", ["", "88.1.1", "/x", "88.1.1/", "88 1/x", "88.1.1/" + "x" * 249])
def test_what_is_no_handle(text: str) -> None:
    with pytest.raises(HandleError):
        Handle.parse(text)


def test_comparison_ignores_the_case_of_the_prefix_only() -> None:
    assert Handle("88.1.QZ", "a").same_as(Handle("88.1.qz", "a"))
    assert not Handle("88.1.QZ", "a").same_as(Handle("88.1.QZ", "A"))
    assert Handle("0.NA", "88.1.qz").same_as(Handle("0.na", "88.1.QZ"))
    assert Handle("88.1.QZ", "a").key == Handle("88.1.qz", "A").key


def test_default_pattern() -> None:
    pattern = SuffixPattern.parse("{class}.{yyyymmdd}.{seq:06d}")
    texts = {"class": "451/轴承", "yyyymmdd": "20261120"}
    assert pattern.build(texts, 42) == "451.20261120.000042"
    assert pattern.build({}, 1_234_567) == "0.0.1234567"


def test_check_character_is_iso_7064_mod_37_36() -> None:
    assert check_character("A12425GABC1234002") == "M"  # example of ISO 7064
    pattern = SuffixPattern.parse("{region}-{seq:04d}{check}")
    assert pattern.build({"region": "330822"}, 7) == f"330822-0007{check_character('3308220007')}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{class}", "needs {seq} once"),
        ("{seq}{seq}", "needs {seq} once"),
        ("{klass}.{seq}", "unknown token 'klass'"),
        ("{model:08d}.{seq}", "gives 'model' a width"),
        ("{seq}/x", "between its tokens"),
        ("设备{seq}", "between its tokens"),
        ("{seq:6d}", "between its tokens"),
        ("{class}{model}{serial}{line}{seq:06d}", "can make 74 characters"),
    ],
)
def test_patterns_that_cannot_be_used(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SuffixPattern.parse(text)


@given(
    st.dictionaries(st.sampled_from(["class", "model", "region"]), st.text()),
    st.integers(1, 10**10 - 1),
)
def test_every_suffix_is_safe_and_short(texts: dict[str, str], number: int) -> None:
    suffix = SuffixPattern.parse("{region}.{class}.{model}.{seq:06d}.{check}").build(texts, number)
    assert len(suffix) <= MAX_SUFFIX
    assert set(suffix) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-")
    assert f".{number:06d}." in suffix


def test_login_password_vector() -> None:
    expected = "58e2c92c46485fdbc35fdcd0814d6c0f000cad5aa156848ca5edaf29406b7661"
    assert login_password("123456", date(2019, 8, 15)) == expected


def test_template_values_are_cut_and_completed() -> None:
    values = equipment_values({"equipName": "磨" * 300, "assetNo": " A1 ", "location": ""})
    assert values[2000] == "磨" * 100
    assert values[2001] == values[2003] == UNKNOWN
    assert values[2006] == "A1"
    assert 2009 not in values
    assert [item.index for item in EQUIPMENT_ITEMS] == list(range(2000, 2018))


REAL_CODES = (
    "91330100799655058B",
    "9144030071526726XG",
    "914403001922038216",
    "91110000802100433B",
    "91110000600037341L",
    "91350100M000100Y43",
    "91330106673959654P",
)
"""Published codes (GB 32100-2015)."""
FICTITIOUS_CODES = (*USCCS, "91330824MA00000662", "91330802MA00000741")


@pytest.mark.parametrize("code", [*REAL_CODES, *FICTITIOUS_CODES])
def test_credit_codes(code: str) -> None:
    assert uscc.problem(code) is None
    for place in range(uscc.LENGTH):
        for other in set(uscc.ALPHABET) - {code[place]}:
            wrong = f"{code[:place]}{other}{code[place + 1 :]}"
            assert uscc.problem(wrong) is not None, f"{wrong} differs in one character"


@pytest.mark.parametrize("letter", "IOSVZ")
def test_letters_that_no_credit_code_has(letter: str) -> None:
    problem = uscc.problem(f"913301{letter}0799655058B")
    assert problem is not None
    assert problem.startswith(f"contains '{letter}'")
