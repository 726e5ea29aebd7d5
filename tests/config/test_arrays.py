"""An array is a tag for each of its values; a tag that names its unit is of that unit."""

from pathlib import Path
from typing import Any

import pytest

from edge_config.mistakes.problems import ConfigError
from tests.config.test_notation import loaded


def names(folder: Path, *addresses: Any) -> list[tuple[str, str]]:
    device = loaded(folder, *addresses).devices[0]
    return [(tag.config.name, str(tag.address)) for tag in device.groups[0].tags]


def test_an_array_is_a_tag_for_each_value(tmp_path: Path) -> None:
    assert names(tmp_path, "holding:10:int32[3]", "coil:4:bool[2]", "holding:7") == [
        ("t0_0", "holding:10:int32"),
        ("t0_1", "holding:12:int32"),
        ("t0_2", "holding:14:int32"),
        ("t1_0", "coil:4"),
        ("t1_1", "coil:5"),
        ("t2", "holding:7:uint16"),
    ]


@pytest.mark.parametrize("notation", ["reference", "wire", "from_1", "hex"])
def test_values_of_an_array_are_written_in_the_notation_of_their_profile(
    tmp_path: Path, notation: str
) -> None:
    written = {"reference": "40017:int16[3]", "from_1": "17:int16[3]", "hex": "10:int16[3]"}
    address = written.get(notation, "16:int16[3]")
    tags = loaded(tmp_path, address, notation=notation).devices[0].groups[0].tags
    assert [str(tag.address) for tag in tags] == [f"holding:{at}:int16" for at in (16, 17, 18)]
    again = loaded(tmp_path, *(tag.config.address for tag in tags), notation=notation)
    assert [tag.address for tag in again.devices[0].groups[0].tags] == [tag.address for tag in tags]


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        (["holding:0:float32", "holding:1:float32"], "holding:1:float32 begins within holding:0:f"),
        (
            ["holding:3:int64", "holding:0:int64", "holding:20"],
            "holding:3:int64 begins within hold",
        ),
        (["holding:0:float32", "holding:0:uint32"], "is of the same registers as holding:0:float"),
        (["holding:0:float32", "holding:0:float32:CDAB"], "is of the same registers as holding:0:"),
        (["holding:0:int32[4]", "holding:7:float32"], "holding:7:float32 begins within holding:6:"),
    ],
)
def test_values_that_lie_over_others_are_warned_of(
    tmp_path: Path, addresses: list[str], said: str
) -> None:
    (warning,) = loaded(tmp_path, *addresses).warnings
    assert said in str(warning)


@pytest.mark.parametrize(
    "addresses",
    [
        ["holding:0:float32", "holding:2:float32", "input:1:float32"],
        ["holding:0:uint32", "holding:0", "holding:1"],
        ["holding:7", "holding:7.3", "holding:7.4-7", "holding:7:uint8", "holding:7.8:uint8"],
        ["coil:0:bool[8]", "coil:8", "discrete:0"],
    ],
)
def test_parts_of_values_and_neighbours_are_not(tmp_path: Path, addresses: list[str]) -> None:
    assert not loaded(tmp_path, *addresses).warnings


def test_a_name_of_an_array_that_another_tag_has_is_refused(tmp_path: Path) -> None:
    tags = [
        {"name": "zone", "address": "holding:10:int16[8]", "label_zh": "温区"},
        {"name": "zone_3", "address": "holding:40"},
        {"name": "z" * 62, "address": "holding:60:int16[2]"},
    ]
    groups = [{"name": "g", "tags": tags}]
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, groups=groups)
    said = str(caught.value)
    assert "the machine has a tag 'zone_3' already, as a value of this array" in said
    assert "longer than 63" in said
    groups[0]["tags"] = tags[:1]
    group = loaded(tmp_path, groups=groups).devices[0].groups[0]
    assert [tag.config.label_zh for tag in group.tags][:2] == ["温区 [0]", "温区 [1]"]


def test_a_tag_of_another_unit_is_refused_where_the_device_is(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, "1!40001")  # of the devices there, one is unit 1 and the other unit 2
    said = str(caught.value)
    assert (
        "devices.1.profile: tag 't0' (1!holding:0:uint16) is of unit 1, and the device is" in said
    )
    assert "make another one with 'unit: 1' for it" in said
    assert "devices.0" not in said
