"""Look for the units behind a connection, and for what they let be read."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.codec import (
    ADDRESSES,
    GATEWAY_PATH,
    GATEWAY_TARGET,
    MAX_READ_REGISTERS,
    UNANSWERED,
    Answer,
    Table,
    read,
)
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.driver import ModbusDriver
from gateway.drivers.modbus.link import ModbusLink
from gateway.drivers.modbus.search.mapping import RangeMap, Span, numbers
from gateway.drivers.modbus.search.options import MOST_UNIT, Options
from gateway.drivers.modbus.types.names import DataType
from gateway.drivers.search import Findings, FoundDevice, Place, Step

MOST_POINTS = 500
"""Tags that are suggested for one unit."""
_NEAR = 8
"""Addresses behind a wanted one that are looked at too: maps in one piece cost fewer requests."""
_RARE = (139, 193, 247)
"""Unit ids that hardly a plant has all of: who answers each of them alike has no units."""
_DATA = 0
"""In place of the code of an exception."""
_MOST_BITS = 256
"""Coils of one request: what is refused is halved, and whole bytes cost next to nothing."""
_NOT_THERE = UNANSWERED | {GATEWAY_PATH, GATEWAY_TARGET}
"""Answers that no unit gives: none, and those of a gateway that has none of this number."""


class ModbusProbe:
    """See :class:`gateway.drivers.search.Probe`."""

    async def look(
        self,
        where: Place,
        options: Options,
        wanted: Sequence[Address],
        findings: Findings,
        step: Step,
    ) -> None:
        """Find units, ask who they are, and map their tables."""
        async with _line(where, options) as line:
            await _find(line, findings, step)
            if options.map:
                for device in findings.devices:
                    await _map(line, device, wanted, step)

    def holds(self, device: FoundDevice, address: Address) -> bool:
        """Whether the map of a unit has all of an address; True where there is none."""
        spans: dict[Table, list[Span]] = device.map or {}
        found = spans.get(address.table)
        if found is None:
            return not spans
        return any(first <= address.address and address.stop <= stop for first, stop in found)


class _Line:
    """What is asked over one link, one request after the other."""

    def __init__(self, where: Place, options: Options, link: ModbusLink) -> None:
        self.where = where
        self.options = options
        self.units = str(where.target.unit.get("unit", options.unit))
        self._link = link

    def driver(self, unit: int) -> ModbusDriver:
        connection: Connection = self.where.connection
        return self._link.driver(replace(connection, unit=unit))

    async def ask(self, driver: ModbusDriver, table: Table, span: Span) -> Answer:
        """The answer to one read request."""
        first, stop = span
        return await driver.ask(read(table, first, stop - first))


@asynccontextmanager
async def _line(where: Place, options: Options) -> AsyncIterator[_Line]:
    connection: Connection = where.connection
    if connection.request_timeout_ms is None:
        connection = replace(connection, request_timeout_ms=options.timeout_ms)
    link = ModbusLink([connection])
    holder = link.driver(connection)  # keeps the connection while unit after unit is asked
    try:
        await holder.connect()
        yield _Line(where._replace(connection=connection), options, link)
    finally:
        await holder.close()


@asynccontextmanager
async def _joined(line: _Line, unit: int) -> AsyncIterator[ModbusDriver]:
    driver = line.driver(unit)
    try:
        await driver.connect()
        yield driver
    finally:
        await driver.close()


async def _find(line: _Line, findings: Findings, step: Step) -> None:
    units = list(dict.fromkeys(numbers(line.units, MOST_UNIT)))
    usual = await _answer_of_any(line, step)
    if usual == _DATA:
        findings.devices.append(await _device(line, units[0], step))
        findings.devices[0].remarks.append(
            "every unit id is answered: the device ignores it, and any will do"
        )
        return
    if usual is not None:
        findings.remarks.append(
            f"units that are not there are answered by exception {usual}; those that answer "
            "otherwise are shown"
        )
    for at, unit in enumerate(units):
        await step(f"looking for unit {unit}", at, len(units))
        if await _answer(line, unit) not in (None, usual):
            findings.devices.append(await _device(line, unit, step))
    if not findings.devices:
        findings.remarks.append(_nobody(line))


async def _answer_of_any(line: _Line, step: Step) -> int | None:
    """How units are answered that nobody has; None: they are silent, as they should."""
    answers = set()
    for at, unit in enumerate(_RARE):
        await step("looking who answers for everybody", at, len(_RARE))
        answers.add(await _answer(line, unit))
    return answers.pop() if len(answers) == 1 else None


async def _answer(line: _Line, unit: int) -> int | None:
    """How a unit answers: by data, or the code of an exception; None: it is not there."""
    tables = line.options.tables.split(",")
    async with _joined(line, unit) as driver:
        answer = await line.ask(driver, Table(tables[0]), (0, 1))
    if isinstance(answer, bytes):
        return _DATA
    return None if answer in _NOT_THERE else answer


def _nobody(line: _Line) -> str:
    connection: Connection = line.where.connection
    words = {"tcp": "rtu+tcp://, if a serial server only passes bytes on", "rtu": "tcp://"}
    other = words.get(str(connection.framing), "")
    if connection.serial is not None:
        other = "another speed, as ?baud=19200&parity=even"
    hint = f"; try {other}" if other else ""
    return (
        f"no unit of {line.units} answered within {line.options.timeout_ms} ms: see wiring, "
        f"baud rate and unit ids, or allow more by --timeout-ms{hint}"
    )


async def _device(line: _Line, unit: int, step: Step) -> FoundDevice:
    found = FoundDevice(f"unit {unit}", {**line.where.target.connection, "unit": unit})
    if unit in (0, MOST_UNIT):
        found.remarks.append(f"unit {unit} is often the server itself, and not a unit behind it")
    await step(f"asking unit {unit} who it is", 0, 1)
    async with _joined(line, unit) as driver:
        found.identity = await driver.identify()
    return found


async def _map(line: _Line, device: FoundDevice, wanted: Sequence[Address], step: Step) -> None:
    device.map = {}
    unit: int = device.connection["unit"]
    async with _joined(line, unit) as driver:
        for name in line.options.tables.split(","):
            table = Table(name)
            found = RangeMap(_spans(line.options, table, wanted), _most(line, table))
            await _ask_all(
                line,
                driver,
                table,
                found,
                partial(step, f"mapping {table} of unit {unit}"),
            )
            _note(device, table, found)


def _most(line: _Line, table: Table) -> int:
    connection: Connection = line.where.connection
    return _MOST_BITS if table.is_bits else min(MAX_READ_REGISTERS, connection.max_registers)


def _spans(options: Options, table: Table, wanted: Iterable[Address]) -> list[Span]:
    asked = [(at, at + 1) for at in numbers(options.addresses, ADDRESSES - 1)]
    known = (
        (one.address, min(one.stop + _NEAR, ADDRESSES)) for one in wanted if one.table is table
    )
    return [*asked, *known]


async def _ask_all(
    line: _Line,
    driver: ModbusDriver,
    table: Table,
    found: RangeMap,
    step: Callable[[int, int], Awaitable[None]],
) -> None:
    for sent in range(line.options.requests):
        span = found.next()
        if span is None:
            return
        await step(sent, line.options.requests)
        found.answered(await line.ask(driver, table, span))
    if found.undecided:
        found.why = (
            f"{found.undecided} addresses are undecided after {line.options.requests} requests "
            "(--requests)"
        )


def _note(device: FoundDevice, table: Table, found: RangeMap) -> None:
    spans = found.spans()
    device.map[table] = spans
    for first, stop in spans:
        last = f"–{stop - 1}" if stop - first > 1 else ""
        device.readable.append(f"{table} {first}{last}")
    if found.why:
        device.remarks.append(f"{table}: {found.why}")
    if spans and found.most < MAX_READ_REGISTERS and not table.is_bits:
        device.remarks.append(f"{table}: at most {found.most} registers in a request were given")
        device.connection["max_registers"] = found.most
    of = DataType.BOOL if table.is_bits else DataType.UINT16
    for at in sorted(found.readable)[: MOST_POINTS - len(device.points)]:
        device.points[f"{table}_{at}"] = Address(table=table, address=at, type=of)
