"""Codes for no value: written for a tag or for a type, understood as the type's raw numbers."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_config.loading.load import load_gateway
from edge_config.loading.resolved import LoadedGateway
from edge_config.mistakes.problems import ConfigError
from gateway.drivers.registry import installed
from tests.config.test_notation import loaded
from tests.edge.plant import USCC


def with_codes(folder: Path, tags: list[tuple[str, Any]], **profile: Any) -> LoadedGateway:
    written = [
        {"name": f"t{at}", "address": address, **({} if code is None else {"no_value": code})}
        for at, (address, code) in enumerate(tags)
    ]
    return loaded(folder, groups=[{"name": "g", "tags": written}], **profile)


def codes(gateway: LoadedGateway) -> list[tuple[float, ...]]:
    return [tag.no_value for tag in gateway.devices[0].groups[0].tags]


@pytest.mark.parametrize(
    ("address", "written", "meant"),
    [
        ("holding:0:int16", 0x8000, (-32_768,)),
        ("holding:0:int16", "0x8000", (-32_768,)),
        ("holding:0:int16", -32_768, (-32_768,)),
        ("holding:0:uint16", "0xFFFF、0x8000", (0xFFFF, 0x8000)),
        ("holding:0:uint16", [0xFFFF, "32768"], (0xFFFF, 0x8000)),
        ("holding:0:int32", 0x7FFF_FFFF, (0x7FFF_FFFF,)),
        ("holding:0:uint64", 2**64 - 1, (2**64 - 1,)),
        ("holding:0:int64", 2**63, (-(2**63),)),
        ("holding:0:float32", 999_999, (999_999,)),
        ("holding:0.4-7", 15, (15,)),
        ("holding:0:int16[2]", 0x8000, (-32_768,)),
    ],
)
def test_a_code_is_a_raw_number(tmp_path: Path, address: str, written: Any, meant: Any) -> None:
    gateway = with_codes(tmp_path, [(address, written)])
    assert codes(gateway)[0] == meant
    assert not gateway.warnings


def test_nan_is_a_code_in_any_spelling(tmp_path: Path) -> None:
    tags = [("holding:0:float32", code) for code in ("nan", "NaN", math.nan)]
    for (code,) in codes(with_codes(tmp_path, tags)):
        assert math.isnan(code)


def test_a_profile_has_codes_by_type_and_a_tag_its_own(tmp_path: Path) -> None:
    tags = [
        ("holding:0:int16", None),
        ("holding:1:uint16", None),
        ("holding:2:int16", 7),
        ("holding:4:int32:sm", None),
        ("holding:6:float32", None),
    ]
    by_type = {"int16": 0x8000, "uint16": "0xFFFF, 0x8000"}
    gateway = with_codes(tmp_path, tags, no_value=by_type)
    assert codes(gateway) == [(-32_768,), (0xFFFF, 0x8000), (7,), (), ()]
    assert not gateway.warnings


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("holding:0:int16", 0x10000, "65536 cannot occur in int16, which holds -32768 to 32767"),
        ("holding:0:uint16", -1, "-1 cannot occur in uint16, which holds 0 to 65535"),
        ("holding:0:uint16", "nan", "nan cannot occur in uint16"),
        ("holding:0:uint16:bcd", 0xFFFF, "cannot occur in uint16:bcd, which holds 0 to 9999"),
        ("holding:0.4-7", 16, "16 cannot occur in uint16, which holds 0 to 15"),
    ],
)
def test_a_code_that_cannot_occur_is_a_warning(
    tmp_path: Path, address: str, code: Any, said: str
) -> None:
    (warning,) = with_codes(tmp_path, [(address, code)]).warnings
    assert said in str(warning)
    assert "tags.0.no_value" in str(warning)


def test_a_type_that_no_tag_has_is_a_warning(tmp_path: Path) -> None:
    by_type = {"unit16": 0xFFFF, "int16": "nan"}
    found = with_codes(tmp_path, [("holding:0:int16", None)], no_value=by_type).warnings
    other, one = sorted(found, key=str)
    assert "no_value.unit16: no tag of this profile holds 'unit16'" in str(one)
    assert "no_value.int16: nan cannot occur in int16" in str(other)


@pytest.mark.parametrize("code", ["FFFFx", [], "", True, "inf", {"a": 1}])
def test_what_is_no_number_is_refused(tmp_path: Path, code: Any) -> None:
    with pytest.raises(ConfigError, match=r"tags\.0\.no_value: .* is no raw number; write raw"):
        with_codes(tmp_path, [("holding:0:int16", code)])


@pytest.mark.parametrize(
    ("driver", "address", "host"),
    [
        ("opcua", "nsu=http://acme;s=Speed|int16", {"url": "opc.tcp://10.0.0.1:4840"}),
        ("mc", "D100:int16", {"host": "10.0.0.1", "port": 5000}),
        ("s7", "DB1.DBW0:int16", {"host": "10.0.0.1"}),
    ],
)
def test_every_driver_with_types_of_usual_names_has_them(
    tmp_path: Path, driver: str, address: str, host: dict[str, Any]
) -> None:
    tags = [{"name": "t", "address": address}]
    profile = {
        "name": "p",
        "driver": driver,
        "source": "sensor",
        "no_value": {"int16": 0x8000},
        "groups": [{"name": "g", "tags": tags}],
    }
    device = {"id": "d", "driver": driver, "profile": "p", "asset_no": "M", "connection": host}
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC},
        "profiles": [profile],
        "devices": [device],
    }
    file = tmp_path / "gateway.yaml"
    file.write_text(yaml.safe_dump(document))
    assert codes(load_gateway(file, installed())) == [(-32_768,)]


def test_bits_and_texts_have_no_codes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        with_codes(tmp_path, [("holding:0.1", 1), ("holding:0:string[2]", 255)])
    assert "the values of this tag are true/false; only numbers have 'no_value'" in str(
        caught.value
    )
    assert "the values of this tag are text; only numbers have 'no_value'" in str(caught.value)


def test_limits_beyond_the_whole_numbers_of_floats_stay_exact(tmp_path: Path) -> None:
    tag = {"name": "e", "address": "holding:0:uint64", "minimum": 2**53 + 1, "maximum": 2**64 - 2}
    (file,) = {"points.csv"}
    (tmp_path / file).write_text("name,address,maximum\nf,holding:4:uint64,18446744073709551614\n")
    groups = [{"name": "g", "tags": [tag], "tags_file": file}]
    one, other = (tag.config for tag in loaded(tmp_path, groups=groups).devices[0].groups[0].tags)
    assert (one.minimum, one.maximum, other.maximum) == (2**53 + 1, 2**64 - 2, 2**64 - 2)
