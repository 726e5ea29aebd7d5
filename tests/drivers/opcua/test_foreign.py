"""The driver against node-opcua: every type, small limits, subscriptions, writes."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from gateway.core.schema import runs_of
from gateway.core.status import GOOD, Quality, Reason, bad, status
from gateway.drivers.api import Arrivals, DriverError, NotConnectedError, Point
from gateway.drivers.opcua.driver import OpcUaDriver
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import ForeignServer, point

EXPECTED = {
    "Double": ("float64", 1.5),
    "Float": ("float32", 2.5),
    "SByte": ("int8", -5),
    "Byte": ("uint8", 250),
    "Int16": ("int16", -30000),
    "UInt16": ("uint16", 60000),
    "Int32": ("int32", -2000000000),
    "UInt32": ("uint32", 4000000000),
    "Int64": ("int64", -9007199254740995),
    "UInt64": ("uint64", 18446744073709551615),
    "Boolean": ("bool", True),
    "String": ("string", "衢州 press"),
    "Text": ("string", "运行"),
    "DateTime": ("datetime", 1709208000250),
}
ALL = [point(name, type_name) for name, (type_name, _) in EXPECTED.items()]
UNKNOWN = [
    point("Nowhere", "float64"),
    point("Double", "float64", uri="http://qulink.test/not-there"),
]
MISFITS = [point(name, "float64") for name in ("Array", "Guid", "Bytes", "Node", "Int64")]


def flat(columns: Sequence[np.ndarray]) -> list[object]:
    return [value for column in columns for value in column.tolist()]


async def collect(
    driver: OpcUaDriver, enough: int, timeout_s: float = 20.0
) -> dict[str, list[Arrivals]]:
    """Arrivals by group until there are enough values."""
    came: dict[str, list[Arrivals]] = {}
    async with asyncio.timeout(timeout_s):
        while sum(len(one.index) for ones in came.values() for one in ones) < enough:
            for one in await driver.arrivals():
                came.setdefault(one.group, []).append(one)
    return came


def check_form(arrivals: Arrivals, points: Sequence[Point]) -> None:
    """What the SDK promises of arrivals."""
    assert (np.diff(arrivals.index.astype(int)) >= 0).all()
    runs = runs_of(points[place].kind for place in arrivals.index)
    assert [len(column) for column in arrivals.columns] == [len(run) for run in runs]
    assert all(
        column.dtype == run.kind.dtype for column, run in zip(arrivals.columns, runs, strict=True)
    )
    assert len(arrivals.index) == len(arrivals.time_ms) == len(arrivals.status)


async def test_every_type_is_read_in_chunks(foreign: ForeignServer, driver_for: Connect) -> None:
    driver = driver_for(foreign.connection())
    await driver.connect()
    reading = await driver.read(driver.plan(ALL))
    assert reading.status.tolist() == [GOOD] * len(ALL)
    assert flat(reading.columns) == [value for _, value in EXPECTED.values()]


async def test_a_fault_of_one_tag_is_its_own(foreign: ForeignServer, driver_for: Connect) -> None:
    driver = driver_for(foreign.connection())
    await driver.connect()
    reading = await driver.read(driver.plan([UNKNOWN[0], *MISFITS, ALL[0], UNKNOWN[1]]))
    unknown = bad(Reason.NODE_UNKNOWN)
    assert reading.status.tolist() == [unknown, *[bad(Reason.TYPE)] * 5, GOOD, unknown]
    assert reading.columns[0][6] == 1.5


async def test_a_plan_outlives_sessions(foreign: ForeignServer, driver_for: Connect) -> None:
    driver = driver_for(foreign.connection())
    plan = driver.plan(ALL)
    for _ in range(2):
        await driver.connect()
        assert (await driver.read(plan)).status.tolist() == [GOOD] * len(ALL)
        await driver.close()


async def test_our_own_limit_counts_if_lower(foreign: ForeignServer, driver_for: Connect) -> None:
    driver = driver_for(foreign.connection(max_nodes_per_call=3))
    await driver.connect()
    assert (await driver.read(driver.plan(ALL))).status.tolist() == [GOOD] * len(ALL)
    limits = driver._open().limits
    assert (limits.read, limits.monitor) == (3, 3)


async def test_the_server_limits_are_known(foreign: ForeignServer, driver_for: Connect) -> None:
    driver = driver_for(foreign.connection())
    await driver.connect()
    assert (driver._open().limits.read, driver._open().limits.monitor) == (7, 4)


async def test_a_subscription_begins_with_all_values(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    driver = driver_for(foreign.connection(publishing_ms=50))
    await driver.connect()
    points = [*ALL, *UNKNOWN, MISFITS[0]]
    codes = await driver.subscribe("all", points, 100)
    unknown = bad(Reason.NODE_UNKNOWN)
    assert codes.tolist() == [*[GOOD] * len(ALL), unknown, unknown, GOOD]
    arrivals = (await collect(driver, len(ALL) + 1))["all"]
    values: dict[int, object] = {}
    codes_by_place: dict[int, int] = {}
    for one in arrivals:
        check_form(one, points)
        values |= dict(zip(one.index.tolist(), flat(one.columns), strict=True))
        codes_by_place |= dict(zip(one.index.tolist(), one.status.tolist(), strict=True))
    assert [values[place] for place in range(len(ALL))] == [v for _, v in EXPECTED.values()]
    assert codes_by_place == {**dict.fromkeys(range(len(ALL)), GOOD), 16: bad(Reason.TYPE)}


async def test_thousands_of_items_within_the_limits_of_one_call(
    driver_for: Connect, pki: Path
) -> None:
    limits = {"maxNodesPerRead": 700, "maxMonitoredItemsPerCall": 500}
    with ForeignServer(pki, items=3_000, limits=limits) as server:
        driver = driver_for(server.connection(publishing_ms=50))
        await driver.connect()
        points = [point(f"Item.{n}", "float64") for n in range(3_000)]
        assert not (await driver.subscribe("g", points, 1_000)).any()
        came = (await collect(driver, len(points)))["g"]
        values = {
            place: value
            for one in came
            for place, value in zip(one.index.tolist(), flat(one.columns), strict=True)
        }
        assert values == {n: float(n) for n in range(3_000)}
        reading = await driver.read(driver.plan(points))
        assert flat(reading.columns) == list(range(3_000))


async def test_changes_carry_source_time_and_status(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    years_ms = 315_360_000_000
    connection = foreign.connection(publishing_ms=50, max_clock_difference_ms=years_ms)
    driver = driver_for(connection)
    await driver.connect()
    await driver.subscribe("g", [point("Item.0", "float64"), point("Item.1", "float64")], 50)
    await collect(driver, 2)
    foreign.set("Item.0", 11.25, time=1_700_000_000_123)
    foreign.set("Item.1", 7, status="UncertainLastUsableValue", time=1_700_000_000_456)
    one, two = await changes(driver, 2)
    assert one == (0, 11.25, 1_700_000_000_123, GOOD)
    assert two == (1, 7.0, 1_700_000_000_456, status(Quality.UNCERTAIN, Reason.LAST_USABLE))
    foreign.set("Item.1", 7, status="BadDeviceFailure")
    ((place, _, _, code),) = await changes(driver, 1)
    assert (place, code) == (1, bad(Reason.DEVICE_FAILURE))


async def changes(driver: OpcUaDriver, number: int) -> list[tuple[int, object, int, int]]:
    """The next changes as (place, value, time, status), by place."""
    came = [
        change
        for one in (await collect(driver, number))["g"]
        for change in zip(
            one.index.tolist(),
            flat(one.columns),
            one.time_ms.tolist(),
            one.status.tolist(),
            strict=True,
        )
    ]
    return sorted(came)


async def test_groups_are_kept_apart(foreign: ForeignServer, driver_for: Connect) -> None:
    driver = driver_for(foreign.connection(publishing_ms=50))
    await driver.connect()
    groups = {"a": [point("Int16", "int16")], "b": [point("String", "string")], "c": ALL[:5]}
    for name, points in groups.items():
        assert not (await driver.subscribe(name, points, 100)).any()
    came = await collect(driver, 7)
    assert set(came) == set(groups)
    assert flat(came["b"][0].columns) == ["衢州 press"]
    assert flat(came["a"][0].columns) == [-30000]


async def test_a_slow_consumer_makes_the_server_queue(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    """While nobody takes arrivals, what waits here is bounded by the requests outstanding."""
    driver = driver_for(foreign.connection(publishing_ms=20, sampling_ms=20))
    await driver.connect()
    await driver.subscribe("g", [point("Item.3", "float64")], 20)
    await collect(driver, 1)
    sent = 100
    for number in range(1, sent + 1):
        foreign.set("Item.3", float(1000 + number))
        await asyncio.sleep(0.01)
    assert driver._publishing is not None
    assert len(driver._publishing._requests) <= 2
    came = await changes(driver, 1)
    while came[-1][1] != float(1000 + sent):
        came += await changes(driver, 1)
    values = [value for _, value, _, _ in came]
    assert values == sorted(values), "in order"
    assert len(values) < sent
    assert status(Quality.UNCERTAIN, Reason.OVERFLOW) in [code for *_, code in came]


async def test_quiet_items_need_only_signs_of_life(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    """Several keep-alive periods without a change are no loss."""
    connection = foreign.connection(publishing_ms=50, keepalive_ms=100, request_timeout_ms=2_000)
    driver = driver_for(connection)
    await driver.connect()
    await driver.subscribe("g", [point("Item.4", "float64")], 50)
    await collect(driver, 1)
    assert driver._groups is not None
    (subscription,) = driver._groups.subscriptions.values()
    enough = subscription.heard + 2 * subscription.silence_s
    waiting = asyncio.create_task(changes(driver, 1))
    async with asyncio.timeout(60):
        while subscription.heard < enough:
            done, _ = await asyncio.wait([waiting], timeout=0.05)
            assert not done
    foreign.set("Item.4", 44)
    assert [value for _, value, _, _ in await waiting] == [44.0]


async def test_writes_are_typed(foreign: ForeignServer, driver_for: Connect) -> None:
    driver = driver_for(foreign.connection())
    await driver.connect()
    given = {"Item.5": ("float64", 5.5), "Int16": ("int16", -30000), "Boolean": ("bool", True)}
    for name, (type_name, value) in given.items():
        await driver.write(point(name, type_name), value)
    plan = driver.plan([point(name, type_name) for name, (type_name, _) in given.items()])
    assert flat((await driver.read(plan)).columns) == [5.5, -30000, True]


@pytest.mark.parametrize(
    ("tag", "value", "said"),
    [
        (point("ReadOnly", "float64"), 1.0, "BadNotWritable|BadUserAccessDenied"),
        (point("Int16", "float64"), 1.0, "BadTypeMismatch"),
        (point("Nowhere", "float64"), 1.0, "BadNodeIdUnknown"),
        (point("Int16", "int16"), 40000, "40000 is no int16"),
        (point("Byte", "uint8"), -1, "-1 is no uint8"),
        (point("Int16", "int16"), True, "True is no int16"),
        (point("Int16", "int16"), 1.5, "1.5 is no int16"),
        (point("Boolean", "bool"), 1, "1 is no bool"),
        (point("Double", "float64"), float("nan"), "nan is no float64"),
        pytest.param(point("Double", "float64"), 10**400, "is no float64", id="huge"),
        (point("Float", "float32"), 1e300, "1e.300 is no float32"),
        (point("String", "string"), 3, "3 is no string"),
        (point("DateTime", "datetime"), 3, "a datetime cannot be written"),
    ],
)
async def test_a_wrong_write_raises(
    foreign: ForeignServer,
    driver_for: Connect,
    tag: Point,
    value: float | str,
    said: str,
) -> None:
    driver = driver_for(foreign.connection())
    await driver.connect()
    with pytest.raises(DriverError, match=said) as caught:
        await driver.write(tag, value)
    assert not isinstance(caught.value, NotConnectedError)


async def test_a_write_into_a_missing_namespace_raises(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    driver = driver_for(foreign.connection())
    await driver.connect()
    with pytest.raises(DriverError, match=r"has no namespace .* it has .*plant"):
        await driver.write(UNKNOWN[1], 1.0)


async def test_before_connecting_everything_says_so(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    driver = driver_for(foreign.connection())
    for call in (
        driver.read(driver.plan(ALL)),
        driver.arrivals(),
        driver.subscribe("g", ALL, 100),
        driver.write(ALL[0], 1.0),
    ):
        with pytest.raises(NotConnectedError, match="not connected"):
            await call


async def test_arrivals_without_subscription_say_so(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    driver = driver_for(foreign.connection())
    await driver.connect()
    assert (await driver.subscribe("empty", [], 100)).tolist() == []
    with pytest.raises(DriverError, match="nothing is subscribed"):
        await driver.arrivals()


async def test_close_leaves_nothing_behind(foreign: ForeignServer, driver_for: Connect) -> None:
    before = asyncio.all_tasks()
    driver = driver_for(foreign.connection(publishing_ms=50))
    await driver.connect()
    await driver.subscribe("g", ALL, 100)
    await driver.arrivals()
    await driver.close()
    await driver.close()
    assert asyncio.all_tasks() == before


async def test_polls_and_writes_run_while_arrivals_wait(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    """A device may have groups of both modes on its one connection."""
    driver = driver_for(foreign.connection(publishing_ms=50))
    await driver.connect()
    await driver.subscribe("g", [point("Item.6", "float64")], 50)
    await collect(driver, 1)
    waiting = asyncio.create_task(changes(driver, 1))
    reading = await driver.read(driver.plan(ALL))
    assert not reading.status.any()
    await driver.write(point("Item.6", "float64"), 66.5)
    assert [value for _, value, _, _ in await waiting] == [66.5]
