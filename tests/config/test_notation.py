"""Plain five-digit numbers: both readings are named, and a profile can say which is meant."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_config.loading.load import load_gateway
from edge_config.loading.resolved import LoadedGateway
from edge_config.mistakes.problems import ConfigError
from gateway.drivers.registry import installed
from tests.edge.plant import USCC

COUNTED = "which counts from 1; a manual that prints addresses as on the wire means holding"


def loaded(folder: Path, *addresses: Any, **profile: Any) -> LoadedGateway:
    tags = [{"name": f"t{at}", "address": address} for at, address in enumerate(addresses)]
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC},
        "profiles": [
            {
                "name": "p",
                "driver": "modbus",
                "source": "sensor",
                "groups": [{"name": "g", "tags": tags}],
                **profile,
            }
        ],
        "devices": [
            {
                "id": f"d{unit}",
                "driver": "modbus",
                "profile": "p",
                "asset_no": f"M{unit}",
                "connection": {"host": "10.0.0.1", "unit": unit},
            }
            for unit in (1, 2)
        ],
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(document))
    return load_gateway(file, installed())


def read_as(folder: Path, address: Any, **profile: Any) -> str:
    device = loaded(folder, address, **profile).devices[0]
    return str(device.groups[0].tags[0].address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            "40001:uint16",
            f"40001 is read as holding:0, {COUNTED}:40001",
        ),
        (
            "32080:int32",
            f"32080 is read as input:2079, {COUNTED}:32080",
        ),
        (
            "holding:40001",
            "holding:40001 is read as on the wire; a manual that counts from 1 means holding:0",
        ),
        (
            {"table": "input", "address": 30011, "type": "int16"},
            "input:30011 is read as on the wire; a manual that counts from 1 means input:10",
        ),
        ("discrete:10005", "a manual that counts from 1 means discrete:4"),
    ],
)
def test_a_number_of_two_meanings_is_a_warning(tmp_path: Path, address: Any, said: str) -> None:
    (warning,) = loaded(tmp_path, address).warnings
    assert said in str(warning)
    assert "say which by 'notation: reference' or 'notation: wire' in the profile" in str(warning)
    assert "gateway.yaml:" in str(warning)


def test_a_profile_is_warned_of_once(tmp_path: Path) -> None:
    (warning,) = loaded(tmp_path, "holding:70", *(f"4000{n}:uint16" for n in range(1, 9))).warnings
    first = int(str(warning).split(":")[1])
    lines = ", ".join(str(first + 2 * at) for at in range(1, 8))
    assert str(warning).endswith(f"; 7 more like it, on line {lines}")
    assert "40001" in str(warning)


@pytest.mark.parametrize(
    "address", ["holding:100", "4x0101", "coil:40001", "465535", "input:40001"]
)
def test_a_number_of_one_meaning_is_none(tmp_path: Path, address: str) -> None:
    assert not loaded(tmp_path, address).warnings


@pytest.mark.parametrize(
    ("notation", "address", "meant"),
    [
        ("reference", "40001:uint16", "holding:0:uint16"),
        ("wire", "40001:uint16", "holding:40001:uint16"),
        ("wire", "32080:int32:CDAB", "holding:32080:int32:CDAB"),
        ("wire", "100", "holding:100:uint16"),
        ("wire", "input:30011", "input:30011:uint16"),
        ("reference", "holding:40001", "holding:40001:uint16"),
    ],
)
def test_a_profile_says_which_notation_its_manual_has(
    tmp_path: Path, notation: str, address: str, meant: str
) -> None:
    assert read_as(tmp_path, address, notation=notation) == meant
    assert not loaded(tmp_path, address, notation=notation).warnings


@pytest.mark.parametrize(
    ("address", "ways"),
    [
        ("4x0101", "write 'holding:100' or 'holding:101'"),
        ("4X0101:uint16", "write 'holding:100' or 'holding:101'"),
        ("3x0001:int32:CDAB", "write 'input:0' or 'input:1'"),
        ("4ｘ0101：uint16", "write 'holding:100' or 'holding:101'"),
        ("4x0101.3", "write 'holding:100.3' or 'holding:101.3'"),
        ("1x0000", "write 'discrete:0', whichever"),
    ],
)
def test_an_address_of_another_manual_says_what_to_write(
    tmp_path: Path, address: str, ways: str
) -> None:
    """It was "'4x0101' in 'holding:4x0101' is no address", of which nobody had written the half."""
    with pytest.raises(ConfigError) as told:
        loaded(tmp_path, "holding:1", address, notation="wire")
    text = str(told.value)
    assert ways in text
    assert "'notation: reference'" in text
    assert "tags.1.address" in text
    assert "in 'holding:" not in text


@pytest.mark.parametrize(
    ("address", "notation", "wire"),
    [
        ("100:uint16", "from_1", "holding:99:uint16"),
        ("input:1:int16", "from_1", "input:0:int16"),
        ("8.3", "from_1", "holding:7.3"),
        ({"table": "coil", "address": 1}, "from_1", "coil:0"),
        ({"table": "coil", "address": "2"}, "from_1", "coil:1"),
        ("2103:int16", "hex", "holding:8451:int16"),
        ("2103H", "hex", "holding:8451:uint16"),
        ("0x2103", "hex", "holding:8451:uint16"),
        ("FFH", "hex", "holding:255:uint16"),
        ("ff.4-7", "hex", "holding:255.4-7:uint16"),
        ("input:10:float32", "hex", "input:16:float32"),
        ("coil:A", "hex", "coil:10"),
        ({"table": "input", "address": "10"}, "hex", "input:16:uint16"),
    ],
)
def test_a_manual_may_count_from_1_or_in_base_16(
    tmp_path: Path, address: Any, notation: str, wire: str
) -> None:
    assert read_as(tmp_path, address, notation=notation) == wire


@pytest.mark.parametrize(
    ("address", "notation", "said"),
    [
        ("0", "from_1", "0 cannot be: the profile says 'notation: from_1'"),
        ("holding:65537", "from_1", "below 65536, not 65536 (notation: from_1)"),
        ("4x0101", "from_1", "the profile says 'notation: from_1'; write 'holding:100' or"),
        ("holding:FFFG", "hex", "'FFFG' in 'holding:FFFG' is no address"),
        ({"table": "input", "address": 10}, "hex", "put the address in quotes, '10' or 'A'"),
        ("holding:1:float", "wire", "(notation: wire)"),
        ("coil:1:uint16", "reference", "a coil holds bool, not uint16 (notation: reference)"),
    ],
)
def test_every_message_names_the_notation(
    tmp_path: Path, address: Any, notation: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, address, notation=notation)
    assert said in str(caught.value)
    assert f"notation: {notation}" in str(caught.value)
