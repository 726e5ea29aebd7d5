"""The way that the units of one link say."""

from collections.abc import Sequence

from gateway.drivers.modbus.config import Connection, Transport
from gateway.drivers.modbus.reach.timing import UNTIMED, Timing
from gateway.drivers.transport.settings import Parity, Port, agreed_port
from gateway.drivers.transport.way import Way

USUAL_PORT = Port("", 9_600, Parity.NONE, 1)
"""As most devices leave the factory. The standard asks for 19200 8E1 (Serial Line V1.02, 2.5.1),
and few devices keep to it."""


def way_of(connections: Sequence[Connection]) -> Way:
    """Where the units of one link are; modules that few need are loaded where they are."""
    first = connections[0]
    if first.serial is not None:
        from gateway.drivers.transport.serial_port import SerialWay  # noqa: PLC0415

        return SerialWay(port_of(connections))
    host, port = first.host_port
    if first.tls is not None:
        from gateway.drivers.transport.tls import TlsWay  # noqa: PLC0415

        return TlsWay(host, port, first.tls)
    if first.transport is Transport.UDP:
        from gateway.drivers.transport.udp import UdpWay  # noqa: PLC0415

        return UdpWay(host, port)
    from gateway.drivers.transport.tcp import TcpWay  # noqa: PLC0415

    return TcpWay(host, port)


def port_of(connections: Sequence[Connection]) -> Port:
    """The serial port of units that have one."""
    return agreed_port([one.serial for one in connections if one.serial is not None], USUAL_PORT)


def timing_of(connections: Sequence[Connection]) -> Timing:
    """How fast their line is."""
    return UNTIMED if connections[0].serial is None else Timing.of(port_of(connections))
