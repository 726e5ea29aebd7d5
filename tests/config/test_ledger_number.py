"""What numbers of machines and sites may be: one rule for ledger, edge and city."""

import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edge_config.loading.load import load_gateway
from edge_config.mistakes.problems import ConfigError
from edge_config.models.ledger_number import (
    MAX_ASSET_NO,
    MAX_KEY,
    MAX_SITE_NO,
    held,
    key_of,
    normal,
    problem,
)
from gateway.drivers.registry import installed
from tests.config.examples import GATEWAY, write_gateway

AS_PLANTS_WRITE = ("1#注塑机", "A/01", "数控-01", "12号", "G 01", "(3)", "№ 7=B,2", "..1", "A\\1")


@pytest.mark.parametrize("number", AS_PLANTS_WRITE)
def test_numbers_as_plants_write_them_are_held_as_they_are(number: str) -> None:
    assert held(number) == unicodedata.normalize("NFKC", number)


@pytest.mark.parametrize(
    ("written", "made"),
    [
        ("ＢＲ–００１", "BR-001"),
        ("  br−001 ", "br-001"),
        ("数控\u3000\u3000０１", "数控 01"),
        ("A\u200b1", "A1"),
        ("１＃注塑机", "1#注塑机"),
    ],
)
def test_spellings_have_one_form(written: str, made: str) -> None:
    assert held(written) == made


def test_case_dashes_and_widths_mean_one_machine() -> None:
    assert len({key_of(one) for one in ("br-001", "BR–001", "ＢＲ-００１", "Br－001")}) == 1
    assert key_of("BR-1") != key_of("BR-01")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "neither a letter nor a digit"),
        ("-", "neither a letter nor a digit"),
        ("A\n1", "a line break or another control character"),
        ("A\u20281", "a line break or another control character"),
        ("A\ud8001", "another control character"),
        ("A\\", "ends with a backslash"),
        ("A" * 65, "has 65 characters; at most 64"),
        ("㍿" * 17, "has 68 characters"),
    ],
)
def test_what_cannot_be_held_says_why(written: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        held(written)


@given(st.text(max_size=70))
def test_forms_and_keys_are_final(text: str) -> None:
    assert normal(normal(text)) == normal(text)
    assert key_of(normal(text)) == key_of(text)
    assert key_of(key_of(text)) == key_of(text)
    assert len(key_of(text)) <= MAX_KEY
    if problem(normal(text)) is None:
        assert 0 < len(held(text)) <= MAX_ASSET_NO


def gateway_file(folder: Path, asset_no: str, site_no: str = "1") -> Path:
    body = yaml.safe_load(GATEWAY.replace("asset_no: 0012", 'asset_no: "0012"'))
    body["gateway"]["site_no"] = site_no
    body["devices"][0]["asset_no"] = asset_no
    return write_gateway(folder, yaml.safe_dump(body, allow_unicode=True))


@pytest.mark.parametrize("number", AS_PLANTS_WRITE)
def test_a_gateway_takes_what_the_ledger_takes(tmp_path: Path, number: str) -> None:
    loaded = load_gateway(gateway_file(tmp_path, number), installed())
    assert loaded.devices[0].config.asset_no == held(number)


def test_a_gateway_sends_the_form_that_the_ledger_holds(tmp_path: Path) -> None:
    loaded = load_gateway(gateway_file(tmp_path, "ＢＲ–００１", "２"), installed())
    assert loaded.devices[0].config.asset_no == "BR-001"
    assert loaded.config.gateway.site_no == "2"


@pytest.mark.parametrize(
    ("asset_no", "site_no", "reason"),
    [
        ("A\\", "1", r"asset_no: 'A\\\\' ends with a backslash"),
        ("-", "1", "asset_no: '-' holds neither a letter nor a digit"),
        ("A", "S" * (MAX_SITE_NO + 1), "site_no: 'S+' has 17 characters; at most 16"),
    ],
)
def test_a_gateway_refuses_what_cannot_be_held(
    tmp_path: Path, asset_no: str, site_no: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        load_gateway(gateway_file(tmp_path, asset_no, site_no), installed())
