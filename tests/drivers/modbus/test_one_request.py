"""What one request is not answered costs its own addresses only, whatever the framing.

Each test reads six registers of a device that treats one of them in its own way.
"""

import asyncio

import pytest

from gateway.core.batch import Reading
from gateway.core.status import Reason
from gateway.drivers.api import DriverError
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import link as link_module
from gateway.drivers.modbus.config import Framing
from gateway.drivers.modbus.driver import ModbusDriver
from tests.drivers.modbus.support import connected, points, reasons
from tests.support.odd_device import ODD, device, has_odd, right
from tests.support.waiting import until

pytestmark = pytest.mark.long

FAR = points(*(f"holding:{place}" for place in (100, 101, 102, 498, 499, ODD)))
"""Two requests; the odd register is the last of the second one."""
NEAR = points(*(f"holding:{place}" for place in (495, 496, 497, 498, 499, ODD)))
"""One request."""
FRAMINGS = pytest.mark.parametrize("framing", ["tcp", "rtu"])


async def poll(driver: ModbusDriver, plan: object) -> Reading | None:
    """A reading as the poller makes it: a lost device is connected anew."""
    try:
        return await driver.read(plan)  # type: ignore[arg-type]
    except DriverError:
        await driver.connect()
        return None


FAULTS = {
    "silence": (lambda _: b"", Reason.TIMEOUT),
    "closed": (lambda _: None, Reason.DISCONNECTED),
    "short": (lambda pdu: right(pdu)[:-2], Reason.PROTOCOL),
    "another function": (lambda pdu: b"\4" + right(pdu)[1:], Reason.PROTOCOL),
    "exception 1": (lambda _: b"\x83\1", Reason.ILLEGAL_FUNCTION),
    "exception 2": (lambda _: b"\x83\2", Reason.ILLEGAL_ADDRESS),
    "exception 3": (lambda _: b"\x83\3", Reason.ILLEGAL_VALUE),
    "exception 4": (lambda _: b"\x83\4", Reason.DEVICE_FAILURE),
    "exception 10": (lambda _: b"\x83\x0a", Reason.GATEWAY_PATH),
    "exception 11": (lambda _: b"\x83\x0b", Reason.GATEWAY_TARGET),
}


@FRAMINGS
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("wanted", [FAR, NEAR], ids=["two requests", "one request"])
async def test_an_odd_address_costs_only_its_own_tag(
    framing: str, fault: str, wanted: list[object]
) -> None:
    odd, reason = FAULTS[fault]
    if framing == "rtu" and reason is Reason.PROTOCOL:
        reason = Reason.TIMEOUT  # on a line, what is no answer is noise
    # Where it is waited out it is short, but longer than a busy machine stands still.
    is_waited_out = reason is Reason.TIMEOUT or (framing == "rtu" and fault == "closed")
    timeout_ms = 300 if is_waited_out else 5_000
    async with (
        device(framing, odd) as (one, port),
        connected(port, framing=Framing(framing), request_timeout_ms=timeout_ms) as driver,
    ):
        plan = driver.plan(wanted)  # type: ignore[arg-type]
        async with asyncio.timeout(120):
            for _ in range(40):
                reading = await poll(driver, plan)
                if wanted is FAR and reading is not None:
                    assert not reading.status[:3].any()
        assert reading is not None
        assert reasons(reading) == [*[Reason.NONE] * 5, reason]
        assert values_of(wanted, reading)[:5] == [w.address.address for w in wanted[:5]]  # type: ignore[arg-type, attr-defined]
        (fault,) = driver.tag_faults().values()
        assert fault.reason is reason
        assert "to holding 500 (function 3, address 500 on the wire, count 1)" in fault.words
        one.asked = []
        for _ in range(40):
            assert await poll(driver, plan) is not None
        assert sum(has_odd(pdu) for pdu in one.asked) <= 4  # it is asked ever more seldom
        one.odd = right
        async with asyncio.timeout(120):
            while (reading := await poll(driver, plan)) is None or reading.status.any():
                pass


@pytest.mark.parametrize("lasts", [1, 2, 3])
@FRAMINGS
async def test_a_server_that_ends_its_connections_after_few_answers_is_read(
    framing: str, lasts: int
) -> None:
    wanted = points(*(f"holding:{1_000 + 200 * i}" for i in range(8)))
    # In RTU framing what was lost with a connection is waited out before the next request.
    timeout_ms = 5_000 if framing == "tcp" else 1_000
    async with (
        device(framing) as (one, port),
        connected(port, framing=Framing(framing), request_timeout_ms=timeout_ms) as driver,
    ):
        one.lasts = lasts
        plan = driver.plan(wanted)
        for _ in range(5):
            reading = await driver.read(plan)
            assert not reading.status.any()
            assert values_of(wanted, reading) == [1_000 + 200 * i for i in range(8)]
        assert driver.renewals >= 40 // lasts - 1


@FRAMINGS
async def test_a_reading_that_is_cut_off_says_how_much_of_it_had_come(framing: str) -> None:
    options = {"framing": Framing(framing), "request_timeout_ms": 5_000}
    async with (
        device(framing, lambda _: b"") as (one, port),
        connected(port, **options) as driver,
    ):
        reading = asyncio.create_task(
            driver.read(driver.plan(points("holding:100", "holding:300", f"holding:{ODD}")))
        )
        await until(lambda: len(one.asked) == 3)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert driver.progress() == "2 of 3 requests were answered"


async def test_one_answer_a_connection_is_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is sent into a connection that is being ended."""
    wanted = points(*(f"holding:{1_000 + 200 * i}" for i in range(8)))
    async with device("tcp") as (one, port), connected(port, request_timeout_ms=5_000) as driver:
        one.lasts = 1
        plan = driver.plan(wanted)
        await driver.read(plan)
        before = one.accepted
        assert not (await driver.read(plan)).status.any()
        assert one.accepted - before == 8
        assert driver.remarks() == [
            "it ends each connection after one answer, so each request has its own"
        ]
        assert not driver.remarks()
        one.lasts = 1_000_000
        monkeypatch.setattr(link_module, "ONE_EACH_S", 0.0)
        driver._link._one_each_until = 1e-9  # an hour ago
        before = one.accepted
        for _ in range(3):
            assert not (await driver.read(plan)).status.any()
        assert one.accepted - before <= 1  # it has been mended


async def test_a_write_is_not_repeated_over_another_connection() -> None:
    writes = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal writes
        await reader.readexactly(12)
        writes += 1
        writer.close()

    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as listener,
        connected(listener.sockets[0].getsockname()[1]) as driver,
    ):
        with pytest.raises(DriverError, match=r"may have written t0 \(holding:7"):
            await driver.write(points("holding:7")[0], 1)
    assert writes == 1
