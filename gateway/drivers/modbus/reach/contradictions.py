"""What in a connection contradicts its device, its tags, or the other devices of its link. Pure."""

from collections.abc import Iterator, Sequence

from edge_config.loading.resolved import ResolvedDevice, ResolvedTag
from edge_config.models.gateway import DeviceConfig
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.codec import Table
from gateway.drivers.modbus.config import (
    LINES,
    SHARED,
    Connection,
    Framing,
    Transport,
    endpoint,
    is_line,
    shared,
)
from gateway.drivers.modbus.framing.quirks import Quirk
from gateway.drivers.modbus.notations.ranges import Range, ranges_of
from gateway.drivers.transport.settings import SerialSettings, port_conflicts

_ASCII_BITS = 7


def strays(connection: Connection, address: Address) -> str:
    """What of an address contradicts the connection of its device; empty: nothing."""
    if address.unit in (None, connection.unit):
        return _beyond_ranges(connection, address)
    return (
        f"is of unit {address.unit}, and the device is unit {connection.unit}: a device is one "
        f"unit, so make another one with 'unit: {address.unit}' for it"
    )


def _beyond_ranges(connection: Connection, address: Address) -> str:
    first, stop = address.address, address.stop
    for one in ranges_of(connection.forbidden):
        if one.table is address.table and first < one.stop and one.first < stop:
            return f"is in {one}, which 'forbidden' says is never read"
    for one in ranges_of(connection.whole_blocks):
        begins, ends = one.first <= first < one.stop, one.first < stop <= one.stop
        if one.table is address.table and begins != ends:
            return f"is partly in {one}, which 'whole_blocks' says is read whole"
    return ""


def one_function(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    """Input and holding registers of one number, of a device that has one function for both."""
    for device in devices:
        if device.connection.read_function is None:
            continue
        first: dict[int, ResolvedTag] = {}
        for tag in (tag for group in device.groups for tag in group.tags):
            if tag.address.table not in (Table.HOLDING, Table.INPUT):
                continue
            other = first.setdefault(tag.address.address, tag)
            if other.address.table is not tag.address.table:
                yield (
                    f"device {device.config.id!r} has 'read_function: "
                    f"{device.connection.read_function}', so {_named(other)} and {_named(tag)} "
                    "are read from the same registers"
                )
                break


def _named(tag: ResolvedTag) -> str:
    return f"{tag.config.name!r} ({tag.address})"


def misfits(connection: Connection, device: DeviceConfig) -> Iterator[tuple[str, str]]:
    """A wait for one answer that the wait for the whole reading would always cut short.

    Only if it is written; the default gives way silently to a shorter ``timeout_ms``.
    """
    wait = connection.request_timeout_ms
    if wait is not None and wait > device.timeout_ms:
        whole = f"the device's timeout_ms {device.timeout_ms}, the wait for a whole reading"
        yield "request_timeout_ms", f"{wait} is longer than {whole}"
    if is_line(connection) and connection.unit == 0:
        yield "unit", "0 is for all units of a serial line at once, and none of them answers"
    if connection.unit_pause_ms and (connection.window or 1) > 1:
        yield "window", f"{connection.window} contradicts unit_pause_ms; leave it at 1"
    yield from _transport_misfits(connection)
    yield from _quirk_misfits(connection)
    yield from _range_misfits(connection)


def _range_misfits(connection: Connection) -> Iterator[tuple[str, str]]:
    """Ranges that no plan can keep."""
    wholes = ranges_of(connection.whole_blocks)
    for one in wholes:
        most = connection.max_bits if one.table.is_bits else 16 * connection.max_registers
        if one.length * one.table.bits > most:
            yield (
                "whole_blocks",
                f"{one} is longer than a request may be ({_most(connection, one)})",
            )
        if any(one.meets(other) for other in ranges_of(connection.forbidden)):
            yield "whole_blocks", f"{one} is to be read whole, and 'forbidden' forbids a part of it"
    for at, one in enumerate(wholes):
        if any(one.meets(other) for other in wholes[:at]):
            yield "whole_blocks", f"{one} overlaps another one"
    if wholes and connection.one_request_per_tag:
        yield "one_request_per_tag", "true contradicts 'whole_blocks', which several tags share"


def _most(connection: Connection, one: Range) -> str:
    key = "max_bits" if one.table.is_bits else "max_registers"
    return f"{key}: {getattr(connection, key)}"


def _transport_misfits(connection: Connection) -> Iterator[tuple[str, str]]:
    if connection.transport is Transport.TLS and connection.framing in LINES:
        yield "framing", "TLS carries Modbus TCP only; leave it out"
    if is_line(connection) and (connection.window or 1) > 1:
        yield "window", f"{connection.window}: a serial line takes one request; leave it at 1"
    if connection.serial is not None:
        yield from _serial_misfits(connection, connection.serial)


def _serial_misfits(connection: Connection, serial: SerialSettings) -> Iterator[tuple[str, str]]:
    """What means nothing on a serial port, which is opened once."""
    if connection.framing is Framing.TCP:
        yield "framing", "tcp is for a host; a serial port takes rtu or ascii"
    if (connection.connections or 1) > 1:
        yield "connections", f"{connection.connections}: a serial port is opened once"
    if connection.port is not None:
        yield "port", "is of a host; the path of the serial port is 'serial.port'"
    if connection.transport is not Transport.TCP:
        yield "transport", f"{connection.transport} is for a host; leave it out"
    if connection.baud is not None:
        yield "baud", "is of a line behind a host; write 'serial: {port: …, baud: …}'"
    if connection.framing is not Framing.ASCII and serial.data_bits == _ASCII_BITS:
        yield "serial", "RTU needs 8 data bits; 7 are for framing: ascii"


def _quirk_misfits(connection: Connection) -> Iterator[tuple[str, str]]:
    if connection.quirks and (connection.window or 1) > 1:
        yield "window", f"{connection.window} needs a device without quirks; leave it at 1"
    strange = [str(one) for one in connection.quirks if one is not Quirk.PADDED_DATA]
    if strange and is_line(connection):
        yield "quirks", f"{', '.join(strange)} means nothing in RTU and ASCII framing"


def conflicts(connections: Sequence[Connection]) -> Iterator[tuple[int, str, str]]:
    """Shared settings that contradict those of an earlier unit of the same host and port."""
    for key in SHARED:
        agreed = shared(connections, key)
        for position, connection in enumerate(connections):
            value = getattr(connection, key)
            if value not in (None, Framing.AUTO, agreed):
                where = endpoint(connection)
                yield position, key, f"{value} contradicts {agreed} of another device at {where}"
    yield from _way_conflicts(connections)


def _way_conflicts(connections: Sequence[Connection]) -> Iterator[tuple[int, str, str]]:
    """Settings of the serial port, or certificates, on which the devices do not agree."""
    serial = [one.serial for one in connections if one.serial is not None]
    for position, key, sentence in port_conflicts(serial):
        yield position, "serial", f"{key}: {sentence}"
    for position, connection in enumerate(connections):
        if connection.tls != connections[0].tls:
            where = endpoint(connection)
            yield position, "tls", f"its files contradict those of another device at {where}"
