"""What the Modbus tests share: drivers, points, and a device without a network."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from struct import unpack
from typing import Any

from edge_config.models.validation import validated
from gateway.core.batch import Reading
from gateway.core.status import Reason, reason_of
from gateway.drivers.api import Point
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import SPEC
from gateway.drivers.modbus.codec import SILENT, Answer, Request
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.plan import CODES, layout
from gateway.drivers.toolkit.reading import ReadPlan


def points(*addresses: Any) -> list[Point]:
    """Points named after their position."""
    found = [validated(SPEC.address, raw) for raw in addresses]
    return [Point(f"t{i}", SPEC.kind(a), a) for i, a in enumerate(found)]


def connection(port: int = 502, **options: Any) -> Connection:
    """A validated connection on loopback."""
    return Connection(host="127.0.0.1", port=port, **options)


@asynccontextmanager
async def connected(port: int, **options: Any) -> AsyncIterator[ModbusDriver]:
    """A connected driver, closed at the end."""
    driver = SPEC.make(connection(port, **options))
    assert isinstance(driver, ModbusDriver)
    try:
        async with asyncio.timeout(60):
            await driver.connect()
        yield driver
    finally:
        await driver.close()


async def read(driver: ModbusDriver, wanted: Sequence[Point]) -> list[Any]:
    """Read once; every value must be GOOD."""
    async with asyncio.timeout(60):
        reading = await driver.read(driver.plan(wanted))
    assert not reading.status.any(), reasons(reading)
    return values_of(wanted, reading)


def reasons(reading: Reading) -> list[Reason]:
    """The reason of every point."""
    return [reason_of(code) for code in reading.status.tolist()]


def plan_of(wanted: Sequence[Point], **options: Any) -> ReadPlan:
    """A plan without a connection."""
    return ReadPlan(layout(wanted, connection(**options)), CODES)


class PaperDevice:
    """Answers requests from an image, without a network.

    Args:
        image: 2 × 65,536 bytes of registers; bit ``i`` of the bit tables is bit ``i`` of it.
        illegal: register or bit addresses that are refused.
        limit: more addresses than this in a request are refused with exception 3.
        codes: exception for a function code, whatever the address.
        silent: addresses to which it says nothing.
    """

    def __init__(
        self,
        image: bytes = bytes(131_072),
        illegal: Iterable[int] = (),
        limit: int = 2_000,
        codes: dict[int, int] | None = None,
        silent: Iterable[int] = (),
    ) -> None:
        self.image = image
        self.illegal = set(illegal)
        self.limit = limit
        self.silent = set(silent)
        self.codes: dict[int, int] = codes or {}
        self.asked: list[tuple[int, int, int]] = []

    def answer(self, request: Request) -> Answer:
        """The answer to one prepared request."""
        function: int
        start: int
        count: int
        function, start, count = unpack(">BHH", request.pdu)
        self.asked.append((function, start, count))
        if self.silent.intersection(range(start, start + count)):
            return SILENT
        if function in self.codes:
            return self.codes[function]
        if self.illegal.intersection(range(start, start + count)):
            return 2
        if count > self.limit:
            return 3
        if function > 2:
            return self.image[2 * start : 2 * (start + count)]
        bits = int.from_bytes(self.image, "little") >> start & ((1 << count) - 1)
        return bits.to_bytes((count + 7) // 8, "little")

    def poll(self, plan: ReadPlan) -> Reading:
        """Run one poll; ``asked`` then holds its requests."""
        self.asked = []
        steps = plan.poll()
        try:
            requests = next(steps)
            while True:
                requests = steps.send(self.answers(requests))
        except StopIteration as done:
            reading: Reading = done.value
            return reading

    def answers(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers to a series; after one without response nothing more is sent."""
        answers: list[Answer] = []
        for request in requests:
            answers.append(self.answer(request))
            if answers[-1] in CODES.no_response:
                break
        return answers + [CODES.not_sent] * (len(requests) - len(answers))
