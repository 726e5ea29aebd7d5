"""Who may write a tag: what the configuration may say, and what contradicts itself."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge_config.models.gateway import GatewayConfig
from edge_config.models.tag import TagConfig
from edge_config.models.validation import validated
from gateway.drivers.registry import installed
from tests.config.test_notation import loaded


def tag(**more: Any) -> TagConfig:
    return validated(TagConfig, {"name": "speed", "address": "holding:1", **more})


def test_nothing_may_be_written_unless_somebody_says_so() -> None:
    assert tag().access == "read"
    (commands,) = [
        field.default
        for name, field in GatewayConfig.__dataclass_fields__.items()
        if name == "commands"
    ]
    assert (commands.enabled, commands.expire_ms) == (False, 10_000)


def test_limits_of_writing_are_those_of_the_tag_unless_narrower() -> None:
    assert tag(access="read-write").write_limits == (None, None)
    assert tag(access="read-write", minimum=0, maximum=9).write_limits == (0, 9)
    narrow = tag(access="read-write", minimum=0, maximum=9, write_minimum=2, write_maximum=5)
    assert narrow.write_limits == (2, 5)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"write_minimum": 1}, "are for tags with 'access: read-write'"),
        ({"access": "read-write", "write_minimum": 5, "write_maximum": 1}, "nothing could be"),
        ({"access": "read-write", "minimum": 1, "write_minimum": 0}, "is below minimum 1"),
        ({"access": "read-write", "maximum": 1, "write_maximum": 2}, "is above maximum 1"),
        ({"access": "write"}, "Input should be 'read' or 'read-write'"),
    ],
)
def test_contradictions_are_refused(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        tag(**keys)


def test_a_tag_that_can_never_be_written_is_told_before_somebody_tries(tmp_path: Path) -> None:
    addresses = ("holding:1", "input:1", "coil:1", "discrete:1", "holding:7.3", "holding:7.8:uint8")
    tags = [
        {"name": f"t{at}", "address": address, "access": "read-write"}
        for at, address in enumerate(addresses)
    ]
    tags.append({"name": "r", "address": "input:9"})  # nobody wants to write it
    (warning,) = loaded(tmp_path, groups=[{"name": "g", "tags": tags}]).warnings
    assert "access: table input cannot be written; 1 more like it" in str(warning)


@pytest.mark.parametrize(
    ("driver", "text", "words"),
    [
        ("modbus", "holding:7.20:uint32", ""),
        ("modbus", "holding:7.12-20:uint32", "bits 12 to 20 lie in several registers"),
        ("modbus", "holding:7.3", ""),
        ("s7", "T5", "T can be read only"),
        ("s7", "IW4:int", "I can be read only"),
        ("s7", "DB1.DBW0:int", ""),
        ("mc", "D100.3", "a bit of a word cannot be written by itself"),
        ("mc", "D100", ""),
        ("dlt645", "02010100", "meters are only read"),
    ],
)
def test_drivers_say_what_they_never_write(driver: str, text: str, words: str) -> None:
    spec = installed()[driver]
    said = spec.read_only(validated(spec.address, text))
    assert words in said and bool(said) == bool(words)
