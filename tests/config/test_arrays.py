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
