"""Sentences about models that only other packages' drivers bring."""

from enum import IntEnum
from typing import Annotated, Literal

import pytest

from edge_config.files.document import Document
from edge_config.mistakes.explain import validate
from edge_config.mistakes.problems import ConfigError, Problem, one_of
from edge_config.mistakes.sentences import shown
from edge_config.models.base import Secret
from edge_config.models.settings import Field, Rule, Settings


class Speed(IntEnum):
    SLOW = 9600
    FAST = 115200


class Line(Settings):
    parity: Literal[0, 1, 2] = Field(default=0, description="parity")
    speed: Speed = Field(default=Speed.SLOW, description="bits a second")
    code: Annotated[str, Rule(pattern=r"^x\d$")] | None = Field(default=None, description="")
    level: Annotated[float, Rule(gt=0)] | None = Field(default=None, description="level")
    pin: Annotated[str, Rule(min_length=4)] = Field(default="0000", description="")
    inner: "Line | None" = Field(default=None, description="another")
    keys: tuple[Secret, ...] = Field(default=(), description="secrets")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"parity": 3}, "parity: must be 0, 1 or 2, not 3"),
        ({"speed": 1200}, "speed: must be 9600 or 115200, not 1200"),
        ({"code": "y1"}, r"code: must match the pattern ^x\d$, not 'y1'"),
        ({"level": 0}, "level: must be above 0, not 0"),
        ({"level": "x"}, "level: must be a number, not 'x'"),
        ({"pin": "12"}, "pin: must have at least 4 characters, not 2"),
        ({"pin": ["hunter2"]}, "pin: must be text, not a list"),
        ({"inner": {"inner": {"levl": 1}}}, "inner.inner.levl: unknown key; did you mean 'level'?"),
        ({"inner": 5}, "inner: must be a mapping (lines of 'key: value'), not 5"),
        (
            {"keys": ["hunter2"]},
            "keys.0: a secret is not written here; give {file: PATH} or {env: NAME}",
        ),
        ({"keys": {}}, "keys: must be a list (lines that begin with '- '), not a mapping"),
        ({"a b": 1}, "'a b': unknown key"),
        ({"{x}": 1}, "'{x}': unknown key"),
    ],
)
def test_sentence(data: dict[str, object], said: str) -> None:
    problems: list[Problem] = []
    assert validate(Line, data, Document("f", data).problem, problems) is None
    assert [str(problem) for problem in problems] == [f"f:1: {said}"]


@pytest.mark.parametrize(
    ("value", "loc", "text"),
    [
        ("x" * 100, (), "'" + "x" * 59 + "…"),
        ("mqtt://user:hunter2@host", ("url",), "'mqtt://…@host'"),
        ("hunter2", ("api_token",), "what is written here"),
        ("hunter2", ("password",), "what is written here"),
        ("1234", ("card_pin",), "what is written here"),
        ("x", ("parameters", "spindle"), "'x'"),
        ("two\nlines", (), r"'two\nlines'"),
        (True, (), "true"),
        ({"a": 1}, (), "a mapping"),
    ],
)
def test_shown_values_are_short_and_hold_no_secret(
    value: object, loc: tuple[str, ...], text: str
) -> None:
    assert shown(value, loc) == text


def test_problems_stand_by_file_and_line_and_once() -> None:
    first, second, other = Problem("a", "x", 9), Problem("a", "y", 2), Problem("b", "z", 1)
    assert ConfigError([first, other, second, first]).problems == (second, first, other)


def test_one_of() -> None:
    assert one_of(["a"]) == "'a'"
    assert one_of(["a", "b", "c"]) == "'a', 'b' or 'c'"
