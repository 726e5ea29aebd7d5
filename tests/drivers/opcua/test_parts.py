"""Parts of arrays and structures: the path, and what it leads to in what others encode."""

import asyncio
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from asyncua import ua
from asyncua.ua.ua_binary import variant_to_binary
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.core.status import GOOD, Reason, bad
from gateway.drivers.api import Point
from gateway.drivers.opcua import SPEC
from gateway.drivers.opcua.config import Address
from gateway.drivers.opcua.encoding.elements import Part, find_part
from gateway.drivers.opcua.encoding.layouts import Content, Field, Form, Layout
from gateway.drivers.opcua.parts import parse_path
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import URI, ForeignServer

V = ua.VariantType


def encoded(value: Any, kind: ua.VariantType, **more: Any) -> tuple[int, bytes]:
    body = variant_to_binary(ua.Variant(value, kind, **more))
    return body[0], body[1:]


def part_of(value: Any, kind: ua.VariantType, path: str, **more: Any) -> Part | None:
    return find_part(*encoded(value, kind, **more), parse_path(path), {})


def tag(node: str, part: str, type_name: str, name: str = "t") -> Point:
    address = validated(SPEC.address, f"{node}|{part}|{type_name}")
    kind: Kind = SPEC.kind(address)
    return Point(name, kind, address)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("[3]", ((3,),)),
        ("[1,2]", ((1, 2),)),
        (".Motor.Speed", ("Motor", "Speed")),
        (".Temps[0].Value", ("Temps", (0,), "Value")),
    ],
)
def test_paths(text: str, steps: tuple[object, ...]) -> None:
    assert parse_path(text) == steps


@pytest.mark.parametrize("text", ["[", "[-1]", "[x]", "[1", ".", ".a..b", "a", "[1]b", "[１]"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no path .* write \[3\] for an element"):
        parse_path(text)


@pytest.mark.parametrize(
    ("text", "node", "part"),
    [
        ("nsu=http://a;s=T|[3]|float64", "nsu=http://a;s=T", "[3]"),
        ("nsu=http://a;s=T | .Speed | float64", "nsu=http://a;s=T", ".Speed"),
        ("nsu=http://a;s=|var|PLC.arr[3]|float64", "nsu=http://a;s=|var|PLC.arr[3]", ""),
    ],
)
def test_the_text_form_has_the_part_between_node_and_type(text: str, node: str, part: str) -> None:
    address: Address = validated(Address, text)
    assert (address.node, address.part, address.type) == (node, part, "float64")
    assert validated(Address, str(address)) == address


def test_a_wrong_part_is_refused() -> None:
    with pytest.raises(ValidationError, match="is no path to a part"):
        validated(Address, "i=2256|[x]|float64")


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=9), st.data())
def test_an_element_is_the_one_that_was_written(values: list[float], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(values) - 1))
    part = part_of(values, V.Double, f"[{at}]")
    assert part is not None and np.uint64(part.bits).view(np.float64) == values[at]
    assert part_of(values, V.Double, f"[{len(values)}]") is None
    assert part_of(values, V.Double, "[0,0]") is None


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_an_element_of_a_matrix(rows: int, columns: int, data: st.DataObject) -> None:
    matrix = [[-(row * 10 + column) for column in range(columns)] for row in range(rows)]
    row, column = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    part = part_of(matrix, V.Int32, f"[{row},{column}]", Dimensions=[rows, columns])
    assert part is not None and np.uint64(part.bits).view(np.int64) == matrix[row][column]
    for beyond in (f"[{rows},0]", f"[0,{columns}]", "[0]"):
        assert part_of(matrix, V.Int32, beyond, Dimensions=[rows, columns]) is None


def test_elements_of_every_sort() -> None:
    assert part_of(["a", "衢州"], V.String, "[1]") == Part(12, 0, "衢州")
    guid = UUID("72962b91-fa75-4ae6-8d28-b404dc7daf63")
    assert part_of([UUID(int=0), guid], V.Guid, "[1]") == Part(14, 0, str(guid))
    mixed = [ua.Variant(1.5, V.Double), ua.Variant(-2, V.Int16)]
    part = part_of(mixed, V.Variant, "[1]")
    assert part is not None and (part.variant, part.bits) == (4, 2**64 - 2)
    assert part_of([True, False], V.Boolean, ".x") is None


SPEED = Layout(
    Form.OPTIONAL,
    (
        Field("Name", Content(12)),
        Field("Limit", Content(11), is_optional=True),
        Field("Speed", Content(10), is_optional=True),
    ),
)
WHOLE = Layout(
    Form.ALL,
    (
        Field("Before", Content(6, 2)),
        Field("Motors", Content(SPEED, 1)),
        Field(
            "Which", Content(Layout(Form.UNION, (Field("A", Content(4)), Field("B", Content(5)))))
        ),
    ),
)
NUMBERS = b"\2\0\0\0" + b"\2\0\0\0\1\0\0\0" + b"\7\0\0\0\x08\0\0\0"
WITHOUT_LIMIT = b"\2\0\0\0" + b"\1\0\0\0m" + b"\0\0\x80\x3f"
WITH_LIMIT = b"\3\0\0\0" + b"\0\0\0\0" + bytes(8) + b"\0\0\0\x40"
FIELDS = NUMBERS + b"\2\0\0\0" + WITHOUT_LIMIT + WITH_LIMIT + b"\2\0\0\0" + b"\x09\0"
BODY = b"\1\2\x88\x13" + b"\1" + len(FIELDS).to_bytes(4, "little") + FIELDS


@pytest.mark.parametrize(
    ("path", "part"),
    [
        (".Before[1,0]", Part(6, 8, None)),
        (".Motors[0].Name", Part(12, 0, "m")),
        (".Motors[0].Limit", None),
        (".Motors[0].Speed", Part(10, 0x3F80_0000, None)),
        (".Motors[1].Speed", Part(10, 0x4000_0000, None)),
        (".Motors[2].Speed", None),
        (".Motors", None),
        (".Motors[0]", None),
        (".Which.B", Part(5, 9, None)),
        (".Which.A", None),
        (".Nothing", None),
    ],
)
def test_fields_of_structures_with_optional_ones_arrays_and_unions(
    path: str, part: Part | None
) -> None:
    assert find_part(22, BODY, parse_path(path), {"ns=2;i=5000": WHOLE}) == part
    assert find_part(22, BODY, parse_path(path), {}) is None


@pytest.mark.parametrize("change", [b"\0", b"\0\0\0\0", None])
def test_a_structure_that_is_not_as_it_was_described_has_no_fields(change: bytes | None) -> None:
    """Its program was changed and the type kept its number: a field would be another one."""
    fields = FIELDS[:-2] if change is None else FIELDS + change
    body = BODY[:5] + len(fields).to_bytes(4, "little") + fields
    assert find_part(22, body, parse_path(".Before[1,0]"), {"ns=2;i=5000": WHOLE}) is None


@given(st.binary(max_size=64), st.sampled_from(["[0]", "[1,1]", ".Motors[0].Speed"]))
def test_bytes_of_any_kind_raise_nothing(body: bytes, path: str) -> None:
    layouts = {"ns=2;i=5000": WHOLE}
    for encoding in (22, 0x80 | 11, 0xC0 | 6, 0x80 | 24, 0x80 | 22, 0x80 | 12):
        find_part(encoding, body, parse_path(path), layouts)
    find_part(22, BODY[:9] + body, parse_path(path), layouts)


POINTS = [
    tag(f"nsu={URI};s=Array", "[1]", "float64", "element"),
    tag(f"nsu={URI};s=Array", "[2]", "float64", "beyond"),
    tag(f"nsu={URI};s=Double", "[0]", "float64", "of no array"),
    tag("i=2256", ".State", "int32", "state"),
    tag("i=2256", ".BuildInfo.ProductName", "string", "product"),
    tag("i=2256", ".CurrentTime", "datetime", "time"),
    tag("i=2256", ".Nothing", "string", "nothing"),
]
TYPE = bad(Reason.TYPE)
EXPECTED = [GOOD, TYPE, TYPE, GOOD, GOOD, GOOD, TYPE]


async def test_parts_are_read_from_a_foreign_server(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    """The structure is the standard's ServerStatus, with one structure inside."""
    driver = driver_for(foreign.connection())
    plan = driver.plan(POINTS)
    for _ in range(2):  # layouts are learnt anew in each session
        await driver.connect()
        reading = await driver.read(plan)
        assert reading.status.tolist() == EXPECTED
        values = [value for column in reading.columns for value in column.tolist()]
        assert values[0] == 2.0 and values[3] == 0 and values[4] and values[5] > 1_700_000_000_000
    words = {name: fault.words for name, fault in driver.tag_faults().items()}
    assert words["beyond"].startswith("the server's Double has no part '[2]' that is one value")
    assert "has no part '.Nothing'" in words["nothing"]


async def test_parts_are_pushed_by_a_foreign_server(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    driver = driver_for(foreign.connection(publishing_ms=50))
    await driver.connect()
    await driver.subscribe("g", POINTS, 100)
    seen: dict[int, int] = {}
    async with asyncio.timeout(60):
        while len(seen) < len(POINTS):
            for one in await driver.arrivals():
                seen |= dict(zip(one.index.tolist(), one.status.tolist(), strict=True))
    assert [seen[at] for at in range(len(POINTS))] == EXPECTED


async def test_what_has_no_number_is_read_as_text(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    driver = driver_for(foreign.connection())
    await driver.connect()
    points = [
        Point(name, Kind.STRING, validated(SPEC.address, f"nsu={URI};s={name}|string"))
        for name in ("Guid", "Bytes", "Node")
    ]
    reading = await driver.read(driver.plan(points))
    assert reading.status.tolist() == [GOOD] * 3
    assert reading.columns[0].tolist() == [
        "72962b91-fa75-4ae6-8d28-b404dc7daf63",
        "010203",
        "i=2258",
    ]
