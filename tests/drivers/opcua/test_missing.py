"""What a server lacks or refuses: it is asked for again, and people are told why."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest

from edge_config.models.validation import validated
from gateway.core.status import FIRST_BAD, GOOD, Reason, bad
from gateway.drivers.api import Point
from gateway.drivers.opcua import SPEC
from gateway.drivers.opcua import driver as driver_module
from gateway.drivers.opcua.driver import OpcUaDriver
from gateway.drivers.opcua.subscribing import groups
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import URI, AsyncuaServer, ForeignServer, point

ROBOT = "http://robot.test/"
EARLY = point("Double", "float64")
LATE = [point("Late", "float64"), point("x", "float64", ROBOT)]
UNKNOWN = bad(Reason.NODE_UNKNOWN)
PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "FIRST_PAUSE_S", 0.1)
    monkeypatch.setattr(groups, "LONGEST_PAUSE_S", 0.2)
    monkeypatch.setattr(driver_module, "LOOK_AGAIN_S", 0.1)


@pytest.fixture
def server() -> Iterator[AsyncuaServer]:
    with AsyncuaServer() as started:
        yield started


async def newest(driver: OpcUaDriver, wanted: dict[int, int]) -> None:
    """Take arrivals until each place has the status that is wanted."""
    status: dict[int, int] = {}
    async with asyncio.timeout(PATIENCE_S):
        while not wanted.items() <= status.items():
            for one in await driver.arrivals():
                status |= dict(zip(one.index.tolist(), one.status.tolist(), strict=True))


async def subscribed(driver: OpcUaDriver, points: Sequence[Point]) -> list[int]:
    await driver.connect()
    return (await driver.subscribe("g", points, 50)).tolist()


async def test_nodes_and_namespaces_that_come_late_are_monitored(
    server: AsyncuaServer, driver_for: Connect
) -> None:
    driver = driver_for(server.connection(publishing_ms=50))
    assert await subscribed(driver, [EARLY, *LATE]) == [GOOD, UNKNOWN, UNKNOWN]
    await newest(driver, {0: GOOD})
    server.tell(add="Late", uri=URI)
    server.tell(add="x", uri=ROBOT)
    await newest(driver, {1: GOOD, 2: GOOD})


async def test_a_namespace_that_comes_late_is_polled(
    server: AsyncuaServer, driver_for: Connect
) -> None:
    driver = driver_for(server.connection())
    await driver.connect()
    plan = driver.plan([EARLY, *LATE])
    assert (await driver.read(plan)).status.tolist() == [GOOD, UNKNOWN, UNKNOWN]
    server.tell(add="Late", uri=URI)
    server.tell(add="x", uri=ROBOT)
    async with asyncio.timeout(PATIENCE_S):
        while (await driver.read(plan)).status.any():
            pass  # each reading is a wait for the server


async def test_asking_again_ends_with_the_session(
    server: AsyncuaServer, driver_for: Connect
) -> None:
    driver = driver_for(server.connection(publishing_ms=50))
    before = asyncio.all_tasks()
    await subscribed(driver, LATE)
    asked = asyncio.Event()

    async def ask_for_ever() -> None:
        asked.set()
        await asyncio.Event().wait()

    assert driver._groups is not None
    driver._groups.ask_again = ask_for_ever  # type: ignore[method-assign]
    waiting = asyncio.create_task(driver.arrivals())
    async with asyncio.timeout(PATIENCE_S):
        await asked.wait()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await driver.close()
    assert asyncio.all_tasks() == before


async def test_an_item_that_gives_nothing_becomes_bad(
    server: AsyncuaServer, driver_for: Connect
) -> None:
    """Monitored, and never heard of: no value is not a good one."""
    driver = driver_for(server.connection(publishing_ms=50))
    assert await subscribed(driver, [EARLY]) == [GOOD]
    assert driver._groups is not None
    ((number, subscription),) = driver._groups.subscriptions.items()
    (member,) = subscription.members
    deaf = await driver._open().services.delete_subscriptions([number])
    assert deaf[0].is_good()
    subscription.silence_s = 0.05
    await asyncio.sleep(0.1)
    await driver._groups.ask_again()
    arrivals = member.drain(0, is_server_wrong=False)
    assert arrivals.status.tolist() == [bad(Reason.TIMEOUT)]
    await driver._groups.ask_again()
    assert not member.has_values, "once"


async def test_an_item_that_comes_late_is_given_time_for_its_first_value(
    server: AsyncuaServer, driver_for: Connect
) -> None:
    """Its silence begins when the server takes it, not with the group."""
    driver = driver_for(server.connection(publishing_ms=50))
    assert await subscribed(driver, [EARLY, LATE[0]]) == [GOOD, UNKNOWN]
    await newest(driver, {0: GOOD})
    assert driver._groups is not None
    (subscription,) = driver._groups.subscriptions.values()
    (member,) = subscription.members
    await asyncio.sleep(0.3)
    subscription.silence_s = 0.3  # over for the group
    server.tell(add="Late", uri=URI)
    await driver._groups.ask_again()
    assert not len(member.refused), "it is monitored now"
    assert not member.has_values, "and not yet silent"


async def test_a_server_with_few_subscriptions_has_groups_share_one(
    server: AsyncuaServer, driver_for: Connect
) -> None:
    server.tell(subscriptions=2)
    driver = driver_for(server.connection(publishing_ms=50))
    await driver.connect()
    names = {"a": "Double", "b": "Int32", "c": "String"}
    types = {"a": "float64", "b": "int32", "c": "string"}
    for group, name in names.items():
        assert not (await driver.subscribe(group, [point(name, types[group])], 50)).any()
    assert driver._groups is not None
    shared = [one.names for one in driver._groups.subscriptions.values()]
    assert sorted(map(len, shared)) == [3, len("'a' and 'c'")]
    seen: dict[str, object] = {}
    async with asyncio.timeout(PATIENCE_S):
        while len(seen) < len(names):
            seen |= {one.group: one.columns[0].tolist()[-1] for one in await driver.arrivals()}
    assert seen == {"a": 1.5, "b": -7, "c": "门"}
    server.set("String", "窗")
    (one,) = await driver.arrivals()
    assert (one.group, one.index.tolist(), one.columns[0].tolist()) == ("c", [0], ["窗"])


STANDARD = "http://opcfoundation.org/UA/"


@pytest.mark.parametrize(
    ("namespaces", "wanted"),
    [
        (["urn:x", "urn:y", "urn:plant", "urn:plant"], "nsu=urn:plant;s=Double"),
        ([STANDARD, "urn:plant", "urn:plant", ""], "nsu=urn:plant;s=Double"),
        ([STANDARD, "", "\turn:plant "], "nsu=urn:plant;s=Double"),
        ([STANDARD], "ns=2;s=Double"),
    ],
    ids=["not the standard's", "twice", "blanks", "beyond the list"],
)
async def test_namespace_lists_as_they_are(
    server: AsyncuaServer, driver_for: Connect, namespaces: list[str], wanted: str
) -> None:
    server.tell(namespaces=namespaces)
    driver = driver_for(server.connection(publishing_ms=50))
    tag = written(wanted)
    assert await subscribed(driver, [tag]) == [GOOD]
    await newest(driver, {0: GOOD})
    assert (await driver.read(driver.plan([tag]))).status.tolist() == [GOOD]


def written(node: str) -> Point:
    """A tag at a node that is written with its namespace."""
    address = validated(SPEC.address, f"{node}|float64")
    return Point("tag", SPEC.kind(address), address)


async def test_an_index_that_moves_is_noticed(server: AsyncuaServer, driver_for: Connect) -> None:
    driver = driver_for(server.connection())
    tag = written("ns=2;s=Double")
    await driver.connect()
    plan = driver.plan([tag])
    assert (await driver.read(plan)).status.tolist() == [GOOD]
    server.tell(namespaces=[STANDARD, "urn:server", "urn:other"])
    await driver.connect()
    assert (await driver.read(plan)).status.tolist() == [UNKNOWN]
    said = driver.tag_faults()["tag"].words
    assert said.startswith(f"namespace index 2 was {URI!r} and is now 'urn:other'; write nsu=")


async def test_an_index_whose_namespace_is_listed_late_has_not_moved(
    server: AsyncuaServer, driver_for: Connect
) -> None:
    """A controller that still starts lists less than it will."""
    server.tell(namespaces=[STANDARD])
    driver = driver_for(server.connection())
    tag = written("ns=2;s=Double")
    await driver.connect()
    plan = driver.plan([tag])
    await driver.read(plan)
    server.tell(namespaces=[STANDARD, "urn:server", URI])
    await driver.connect()
    assert (await driver.read(plan)).status.tolist() == [GOOD]
    server.tell(namespaces=[STANDARD, "urn:server", "urn:other"])
    await driver.connect()
    assert (await driver.read(plan)).status.tolist() == [UNKNOWN], "but now it has"


async def test_each_fault_is_said_in_the_servers_words(
    foreign: ForeignServer, driver_for: Connect
) -> None:
    wrong = {
        "Int64": "float64",
        "Double": "float32",
        "Array": "float64",
        "Guid": "float64",
        "Nowhere": "bool",
    }
    elsewhere = point("elsewhere", "float64", "http://not.there/")
    points = [*(point(name, kind) for name, kind in wrong.items()), elsewhere]
    for mode in ("subscribe", "poll"):
        driver = driver_for(foreign.connection(publishing_ms=50))
        await driver.connect()
        if mode == "subscribe":
            status = await driver.subscribe("g", points, 50)
            while (status < FIRST_BAD).any():
                for one in await driver.arrivals():
                    status[one.index] = one.status
        else:
            plan = driver.plan(points)  # its faults are told as long as there is one
            await driver.read(plan)
        said = {name: fault.words for name, fault in driver.tag_faults().items()}
        assert said["Int64"].endswith(
            "type is Int64, which does not fit float64; write type: int64"
        )
        assert said["Double"].endswith("Double, which does not fit float32; write type: float64")
        assert said["Array"] == (
            "the server gave an array of Double; write which element, as in part: '[0]'"
        )
        assert said["Guid"].endswith("type is Guid, which does not fit float64; write type: string")
        assert said["Nowhere"].startswith("the server answered BadNodeIdUnknown; ")
        assert "no namespace 'http://not.there/'; it has 'http://opcfoundation" in said["elsewhere"]
        assert driver.tag_faults()["Int64"].reason is Reason.TYPE
