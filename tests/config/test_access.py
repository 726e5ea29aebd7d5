"""Who may write a tag: what the configuration may say, and what contradicts itself."""

from typing import Any

import pytest
from pydantic import ValidationError

from edge_config.models.gateway import GatewayConfig
from edge_config.models.tag import TagConfig
from edge_config.models.validation import validated


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
