"""Texts that were once taken for another code than they are, or for a good one."""

import pytest

from edge_config.models import uscc
from gateway.identifier.codes.classify import Candidate, classify


def first(text: str) -> Candidate:
    return classify(text)[0]


def good(text: str) -> list[str]:
    return [str(one.code) for one in classify(text) if one.is_valid]


@pytest.mark.parametrize("day", ["01/17", "01/15", "00/17", "01/hello"])
def test_an_address_with_a_day_is_no_trade_item(day: str) -> None:
    assert not good(f"https://factory.example.cn/2026/{day}")
    inner = first(f"https://factory.example.cn/2026/{day}?id=88.999.QZ01/451.1")
    assert str(inner.code) == "88.999.QZ01/451.1"


@pytest.mark.parametrize("ending", ["\n2", "\t2", "\x002", "\r\n88.999.QZ01/451.2", "\u20282"])
def test_two_lines_are_not_one_handle(ending: str) -> None:
    assert not good(f"88.999.QZ01/451.1{ending}")


@pytest.mark.parametrize("mark", ["\u202a{}\u202c", "\u2066{}\u2069", "\u202f{}\u2009", "\u2028{}"])
def test_marks_of_dialogs_are_noise(mark: str) -> None:
    assert good(mark.format("1.2.156.3001.1")) == ["1.2.156.3001.1"]
    assert good(mark.format("88.999.QZ01/1")) == ["88.999.QZ01/1"]


def test_a_suffix_may_have_full_width_characters_of_its_own() -> None:
    own, narrow = "88.999.QZ01/注塑机（一）", "88.999.QZ01/注塑机(一)"
    assert good(own) == [own, narrow]
    assert good("８８．９９９．ＱＺ０１／１") == ["88.999.QZ01/1"]
    assert good("88.999.QZ01/1。") == ["88.999.QZ01/1"]


def test_digits_of_another_script_make_no_national_prefix() -> None:
    assert not good("88.\u0669\u0669.QZ01/1")


@pytest.mark.parametrize("address", ["hdl.handle.net/", "doi.org/", "c.example.cn:8443/p/id/"])
def test_an_address_may_be_printed_without_its_scheme(address: str) -> None:
    assert str(first(f"{address}88.999.QZ01/1").code) == "88.999.QZ01/1"


def test_check_characters_of_a_model_number() -> None:
    assert good("(8013)1987654Ad4X4bL5ttr2310c2K")
    wrong = first("(8013)1987654Ad4X4bL5ttr2310c2X")
    assert not wrong.is_valid
    assert wrong.expected == "2K"


@pytest.mark.parametrize("rest", ["sgtin:0614141.112345.", "sgtin:0614141.112345.中", "giai:abc."])
def test_an_epc_has_what_gs1_allows(rest: str) -> None:
    assert not good(f"urn:epc:id:{rest}")


def test_a_logistic_unit_without_a_scanners_mark() -> None:
    assert good("00106141411234567897")[0] == "https://id.gs1.org/00/106141411234567897"
    assert classify("00106141411234567898")[0].expected == "7"


@pytest.mark.parametrize("text", ["0|0001|6901234567893", "000016901234567893"])
def test_an_ecode_with_a_wrong_gtin_is_wrong(text: str) -> None:
    readings = [one for one in classify(text) if one.system == "ecode"]
    assert not any(one.is_valid for one in readings)
    assert readings[0].expected == "2"


def test_a_mistyped_credit_code_is_told() -> None:
    code = "91230199MA1B2C3D4" + uscc.check_character("91230199MA1B2C3D4")
    assert str(first(f"{code[:8]} {code[8:]}").code) == code
    wrong = first(code.replace("0", "O", 1))
    assert wrong.system == "uscc"
    assert not wrong.is_valid
    assert (
        f"contains 'O'; digits and capital letters without I O S V Z only; {code}" in wrong.reason
    )
    assert not classify("AB123456OTHERNUMBR"), "a serial number of 18 characters"
