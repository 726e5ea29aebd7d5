"""What no well-behaved server does: lost messages, foreign items, too many requests."""

import asyncio
from collections.abc import Callable

import pytest
from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_to_binary

from edge_config.models.validation import validated
from gateway.core.status import GOOD, Quality, Reason, bad, status
from gateway.drivers.api import NotConnectedError
from gateway.drivers.opcua.clock import ServerClock
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.client import new_client
from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.connecting.structures import Structures
from gateway.drivers.opcua.encoding.codec import Published
from gateway.drivers.opcua.encoding.convert import shape_of
from gateway.drivers.opcua.encoding.times import SourceTimes
from gateway.drivers.opcua.encoding.values import Values, empty_values
from gateway.drivers.opcua.subscribing.groups import Groups
from gateway.drivers.opcua.subscribing.items import queue_size
from gateway.drivers.opcua.subscribing.publishing import Publishing
from gateway.drivers.opcua.subscribing.revised import Asked, Revised
from gateway.drivers.opcua.subscribing.subscription import (
    CLOCK_HANDLE,
    Member,
    Subscription,
    Wanted,
)
from tests.drivers.opcua.server import point

Refused = Callable[[str], asyncio.Future[Buffer]]
DAYS_MS = 1_000_000 * 86_400_000
"""The values of these tests are of 1601."""
AFTER_LOSS = status(Quality.UNCERTAIN, Reason.OVERFLOW)


@pytest.fixture
async def publishing() -> Publishing:
    """Subscription 7 with two float64 tags, on a session that was never opened."""
    connection = validated(Connection, {"url": "opc.tcp://127.0.0.1:4840"})
    session, clock = Session(new_client(connection), connection), ServerClock("learn", 5.0)
    groups = Groups(session, connection, clock, Structures())
    groups.subscriptions[7] = Subscription(1000.0, 5.0, now_s())
    add_member(groups.subscriptions[7], "g", 2)
    return Publishing(session, groups, clock, connection)


def add_member(subscription: Subscription, group: str, count: int) -> Member:
    """A group of float64 items whose times are always believed."""
    points = [point(f"{group}{n}", "float64") for n in range(count)]
    wanted = Wanted(1000.0, 2, "source")
    times = SourceTimes(count, DAYS_MS)
    revised = Revised(group, count, Asked(1000.0, 2, 1000.0), 1000.0)
    member = Member(
        group,
        points,
        subscription.size,
        wanted,
        times,
        revised,
        shape_of([one.address for one in points], {}),
    )
    subscription.members.append(member)
    return member


def loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def now_s() -> float:
    return loop().time()


def values(*handles: int) -> Values:
    made = empty_values(len(handles))
    made.handle[:] = handles
    made.variant[:] = 11
    made.ticks[:] = range(10_000, 10_000 * (len(handles) + 1), 10_000)
    return made


def accept(publishing: Publishing, sequence: int, *handles: int, subscription: int = 7) -> None:
    publishing._accept(Published(subscription, sequence, values(*handles), None), 0.0)


async def test_a_missing_message_marks_the_first_value_of_each_tag(publishing: Publishing) -> None:
    accept(publishing, 1, 0, 1)
    accept(publishing, 2, 0, 1)
    (arrivals,) = publishing._drain()
    assert set(arrivals.status.tolist()) == {GOOD}
    accept(publishing, 4, 1, 1, 0)
    (arrivals,) = publishing._drain()
    assert arrivals.index.tolist() == [0, 1, 1]
    assert arrivals.status.tolist() == [AFTER_LOSS, AFTER_LOSS, GOOD]
    accept(publishing, 5, 0)
    assert publishing._drain()[0].status.tolist() == [GOOD]


async def test_a_loss_marks_values_of_every_quality_but_bad(publishing: Publishing) -> None:
    accept(publishing, 1, 0)
    after = values(0, 1)
    after.code[:] = ua.StatusCodes.GoodLocalOverride, ua.StatusCodes.BadSensorFailure
    publishing._accept(Published(7, 3, after, None), 0.0)
    (arrivals,) = publishing._drain()
    assert arrivals.status.tolist() == [GOOD, AFTER_LOSS, bad(Reason.DEVICE_FAILURE)]


async def test_the_servers_time_is_no_value_of_the_group(publishing: Publishing) -> None:
    told = values(0, CLOCK_HANDLE, 1)
    told.variant[1], told.bits[1] = 13, 77
    publishing._accept(Published(7, 1, told, None), 0.0)
    (arrivals,) = publishing._drain()
    assert arrivals.index.tolist() == [0, 1]
    alone = values(CLOCK_HANDLE)
    alone.variant[:], alone.bits[:] = 13, 78
    publishing._accept(Published(7, 2, alone, None), 0.0)
    assert publishing._drain() == [], "nothing of the group"
    assert publishing._received == [(7, 1), (7, 2)]
    assert publishing._clock._ticks == 78


async def test_sequence_numbers_begin_again_at_one(publishing: Publishing) -> None:
    accept(publishing, 0xFFFF_FFFF, 0)
    accept(publishing, 1, 0)
    assert set(publishing._drain()[0].status.tolist()) == {GOOD}


async def test_signs_of_life_do_not_count_as_messages(publishing: Publishing) -> None:
    accept(publishing, 1, 0)
    publishing._accept(Published(7, 2, None, None), 0.0)
    accept(publishing, 2, 0)
    assert set(publishing._drain()[0].status.tolist()) == {GOOD}


async def test_what_was_read_is_acknowledged(publishing: Publishing) -> None:
    accept(publishing, 1, 0)
    publishing._accept(Published(7, 2, None, None), 0.0)
    accept(publishing, 9, 0, subscription=8)  # not ours
    assert publishing._received == [(7, 1)]


async def test_an_item_that_was_never_created_ends_the_session(publishing: Publishing) -> None:
    accept(publishing, 1, 0, 2)
    with pytest.raises(NotConnectedError, match="group 'g' that has none such"):
        await publishing.arrivals()


async def test_values_before_the_end_are_handed_over_first(publishing: Publishing) -> None:
    accept(publishing, 1, 0)
    ended = int(ua.StatusCodes.BadTimeout)
    publishing._accept(Published(7, 2, None, ended), 0.0)
    assert len(publishing._drain()) == 1
    with pytest.raises(NotConnectedError, match="ended the subscription of group 'g': BadTimeout"):
        await publishing.arrivals()


def failed(name: str) -> asyncio.Future[Buffer]:
    future: asyncio.Future[Buffer] = asyncio.get_running_loop().create_future()
    future.set_exception(ua.uaerrors.UaStatusCodeError(getattr(ua.StatusCodes, name)))
    return future


def fault(name: str) -> asyncio.Future[Buffer]:
    """What the wire carries where a request is refused."""
    answer = ua.ServiceFault()
    answer.ResponseHeader.ServiceResult = ua.StatusCode(getattr(ua.StatusCodes, name))
    future: asyncio.Future[Buffer] = asyncio.get_running_loop().create_future()
    future.set_result(Buffer(struct_to_binary(answer)))
    return future


@pytest.mark.parametrize("refused", [failed, fault])
async def test_a_server_with_room_for_few_requests_gets_fewer(
    publishing: Publishing, refused: Refused
) -> None:
    waiting: asyncio.Future[Buffer] = asyncio.get_running_loop().create_future()
    publishing._requests = {waiting}
    publishing._responses = [refused("BadTooManyPublishRequests") for _ in range(2)]
    publishing._read_responses()
    assert publishing._requests == {waiting}, "two refused at once are two fewer, not the end"
    assert publishing._failure is None
    assert publishing._allowed == 1
    publishing.close()
    assert waiting.cancelled()
    publishing._requests = set()
    publishing._responses = [refused("BadTooManyPublishRequests")]
    publishing._read_responses()
    assert isinstance(publishing._failure, NotConnectedError), "not even one is too much"


@pytest.mark.parametrize("refused", [failed, fault])
@pytest.mark.parametrize("name", ["BadSessionIdInvalid", "BadNoSubscription", "BadShutdown"])
async def test_a_dead_session_is_a_lost_connection(
    publishing: Publishing, name: str, refused: Refused
) -> None:
    publishing._responses = [refused(name)]
    publishing._read_responses()
    with pytest.raises(NotConnectedError, match=f"127.0.0.1:4840: publish: {name}"):
        await publishing.arrivals()


async def test_without_a_connection_nothing_is_asked_for(publishing: Publishing) -> None:
    with pytest.raises(NotConnectedError, match="publish: the connection is closed"):
        await publishing.arrivals()


@pytest.mark.parametrize(
    ("publishing_ms", "sampling_ms", "size"),
    [(1000, 1000, 2), (1000, 100, 20), (1000, 300, 8), (100, 1000, 2), (60_000, 0, 1000)],
)
def test_the_queue_holds_twice_what_is_sampled(
    publishing_ms: float, sampling_ms: float, size: int
) -> None:
    assert queue_size(publishing_ms, sampling_ms) == size
