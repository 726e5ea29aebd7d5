"""Whatever a file holds, the loader says what is wrong with it and nothing else happens."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_config.files import yaml_file
from edge_config.files.point_table import LIMITS
from edge_config.files.yaml_file import MAX_BYTES, parse, plain
from edge_config.loading.load import ConfigError, load_city, load_gateway
from edge_config.loading.site import site_of
from edge_config.mistakes.problems import hint
from edge_config.tables.reading import read_sheets
from edge_config.tables.sheet import TableError
from gateway.drivers.registry import installed
from tests.config.examples import CITY, GATEWAY, POINTS, write_gateway

QUICK = settings(max_examples=150, suppress_health_check=[HealthCheck.differing_executors])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["modbus", "opcua", "press", "holding:1", "{base}", "points.csv", "<<"]),
)
KEYS = st.sampled_from(
    [
        *("gateway", "city", "devices", "profiles", "groups", "tags", "tags_file", "address"),
        *("driver", "connection", "name", "id", "profile", "parameters", "mode", "northbound"),
    ]
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner),
    max_leaves=20,
)


def load_quietly(body: bytes, points: bytes = POINTS.encode()) -> None:
    """Load as edge and as city; anything but ConfigError fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gateway.yaml"
        file.write_bytes(body)
        (Path(folder) / "points.csv").write_bytes(points)
        for load in (site_of, load_city, lambda path: load_gateway(path, installed())):
            try:
                load(file)
            except ConfigError as error:
                assert error.problems
                assert str(error).encode("utf-8")


@QUICK
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8")))
def test_any_bytes(body: bytes) -> None:
    load_quietly(body)


@QUICK
@given(TREES)
def test_any_tree(tree: Any) -> None:
    load_quietly(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8"))


def places(tree: Any, loc: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [loc] if loc else []
    if isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            found += places(value, (*loc, key))
    return found


def changed(text: str, choose: int, value: Any) -> bytes:
    tree = yaml.safe_load(text)
    *around, last = places(tree)[choose % len(places(tree))]
    target = tree
    for step in around:
        target = target[step]
    target[last] = value
    return yaml.safe_dump(tree, allow_unicode=True).encode("utf-8")


@QUICK
@given(st.sampled_from([GATEWAY, CITY]), st.integers(0, 60), TREES)
def test_right_configuration_with_one_part_replaced(text: str, choose: int, part: Any) -> None:
    load_quietly(changed(text, choose, part))


@QUICK
@given(
    st.binary(max_size=300)
    | st.text(alphabet="name,adrs;\t\n\"'1.温度", max_size=80).map(str.encode)
)
def test_any_point_table(points: bytes) -> None:
    load_quietly(GATEWAY.encode("utf-8"), points)


@pytest.mark.parametrize(
    "text",
    ["[" * 300_000, "- " * 300_000, "{a: " * 300_000, "? " * 100_000, "&a " * 1_000, "9" * 10_000],
    ids=lambda text: text[:3],
)
def test_absurd_files(text: str) -> None:
    load_quietly(text.encode())


def test_file_too_large(tmp_path: Path) -> None:
    file = write_gateway(tmp_path, "#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="is larger than 16 MiB"):
        load_gateway(file, installed())


@pytest.mark.parametrize("name", ["missing.yaml", "\0", "."])
def test_unreadable_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: "):
        load_city(tmp_path / name)


def test_table_with_too_many_rows(tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_text("name,address\n" + "t,holding:1\n" * 100_001, encoding="utf-8")
    with pytest.raises(TableError, match="has more than 100000 rows"):
        read_sheets(file, LIMITS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("true", True),
        ("no", "no"),
        ("12", 12),
        ("-3", -3),
        ("0x1F", 31),
        ("0012", "0012"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("9" * 50, "9" * 50),
    ],
)
def test_plain_scalars(text: str, value: object) -> None:
    found = plain(text)
    assert found == value
    assert type(found) is type(value)


def test_lines_of_keys_and_items() -> None:
    document = parse("a:\n  - x: 1\n    y:\n      - 2\n      - 3\nb: {c: d}\n", "f")
    assert document.data == {"a": [{"x": 1, "y": [2, 3]}], "b": {"c": "d"}}
    locs = [("a",), ("a", 0), ("a", 0, "y"), ("a", 0, "y", 1), ("b", "c"), ("b", "missing")]
    assert [document.line(loc) for loc in locs] == [1, 2, 3, 5, 6, 6]


def test_hint_only_when_something_is_near() -> None:
    assert hint("inteval_ms", ["interval_ms", "mode"]) == "; did you mean 'interval_ms'?"
    assert hint("zzz", ["interval_ms", "mode"]) == ""


def test_c_parser_is_used() -> None:
    assert yaml_file._LOADER is getattr(yaml, "CSafeLoader", yaml.SafeLoader)
