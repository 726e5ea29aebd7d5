"""Writing: elements of arrays alone, where the server heeds ranges; fields of structures never."""

import gc

import pytest

from gateway.drivers.api import DriverError, Point, Value
from gateway.drivers.opcua import SPEC
from gateway.drivers.opcua.driver import OpcUaDriver
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import URI, AsyncuaServer, ForeignServer, point
from tests.drivers.opcua.test_parts import tag


def element(name: str, part: str, type_name: str) -> Point:
    return tag(f"nsu={URI};s={name}", part, type_name)


async def all_of(driver: OpcUaDriver, name: str, type_name: str, *parts: str) -> list[Value]:
    points = [element(name, part, type_name) for part in parts]
    reading = await driver.read(driver.plan(points))
    assert not reading.status.any()
    return [value for column in reading.columns for value in column.tolist()]


async def test_one_element_is_written_and_no_other(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    driver = driver_for(foreign.connection())
    await driver.connect()
    for value in (20.5, 2.0):
        await driver.write(element("Temps", "[1]", "float32"), value)
        assert await all_of(driver, "Temps", "float32", "[0]", "[1]", "[2]") == [1.0, value, 3.0]
    for number in (-60, 6):
        await driver.write(element("Matrix", "[1,2]", "int32"), number)
        places = [f"[{row},{column}]" for row in range(2) for column in range(3)]
        assert await all_of(driver, "Matrix", "int32", *places) == [1, 2, 3, 4, 5, number]


@pytest.mark.parametrize(
    ("point", "value", "why"),
    [
        (element("Temps", "[3]", "float32"), 1.0, "an array of 3; nothing was written"),
        (element("Temps", "[0,0]", "float32"), 1.0, "an array of 3; nothing was written"),
        (element("Temps", "[0]", "float64"), 1.0, "elements are Float, not Double: change 'type'"),
        (element("Double", "[0]", "float64"), 1.0, "value is no array; nothing was written"),
        (element("Nowhere", "[0]", "float64"), 1.0, "the server answered BadNodeIdUnknown"),
        (element("Temps", "[0]", "float32"), 1e39, "is no float32"),
    ],
)
async def test_an_element_that_cannot_be_written_is_refused(
    foreign: ForeignServer, driver_for: Connect, point: Point, value: Value, why: str
) -> None:
    driver = driver_for(foreign.connection())
    await driver.connect()
    with pytest.raises(DriverError, match="write 't'") as refusal:
        await driver.write(point, value)
    assert why in str(refusal.value)
    assert await all_of(driver, "Temps", "float32", "[0]", "[1]", "[2]") == [1.0, 2.0, 3.0]


async def test_a_server_that_ignores_ranges_keeps_its_array(driver_for: Connect) -> None:
    """That of asyncua would replace it by the one element, and say Good."""
    with AsyncuaServer() as server:
        driver = driver_for(server.connection())
        await driver.connect()
        with pytest.raises(DriverError, match=r"does not heed IndexRange .* nothing was written"):
            await driver.write(element("Temps", "[1]", "float64"), 20.0)
        assert await all_of(driver, "Temps", "float64", "[0]", "[1]", "[2]") == [1.0, 2.0, 3.0]
        server.tell(ranges=True)  # from now on it heeds them, but not when it is written to
        with pytest.raises(
            DriverError, match="had 3 elements and has 1 since: the server may have"
        ):
            await driver.write(element("Temps", "[1]", "float64"), 20.0)


@pytest.mark.parametrize("part", [".State", ".BuildInfo.ProductName", ".A[1]", "[1].B"])
async def test_a_field_of_a_structure_is_never_written(
    foreign: ForeignServer, driver_for: Connect, part: str
) -> None:
    field = tag("i=2256", part, "int32")
    assert "OPC UA writes a structure whole" in SPEC.read_only(field.address)
    driver = driver_for(foreign.connection())
    await driver.connect()
    with pytest.raises(DriverError, match=r"write 't' \(i=2256.*: a field of a structure cannot"):
        await driver.write(field, 1)


def test_what_may_be_written_is_told_before() -> None:
    assert SPEC.read_only(element("Temps", "[1]", "float64").address) == ""
    assert SPEC.read_only(point("Double", "float64").address) == ""
    assert SPEC.read_only(point("DateTime", "datetime").address) == (
        "a date cannot be written to a server"
    )


async def test_plans_of_the_moment_are_forgotten(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    """Each write is read back by a plan of its own."""
    driver = driver_for(foreign.connection())
    await driver.connect()
    kept = driver.plan([point("Nowhere", "float64")])
    for _ in range(20):
        await driver.read(driver.plan([point("Elsewhere", "float64")]))
    await driver.read(kept)
    gc.collect()
    assert list(driver._plans) == [kept]
