"""Registers of 32 bits at one address each: four bytes for every one that was asked for."""

import struct

from gateway.core.status import Reason
from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus.codec import Answer, Request
from tests.drivers.modbus.support import PaperDevice, connection, plan_of, points, reasons


class FlowComputer(PaperDevice):
    """Numbers that are their address, of 32 bits from 5001 on and floats from 7001 on."""

    def answer(self, request: Request) -> Answer:
        function, start, count = struct.unpack(">BHH", request.pdu)
        self.asked.append((function, start, count))
        form = "I" if start < 7001 else "f"
        return struct.pack(f">{count}{form}", *range(start, start + count))


def test_each_register_has_one_address_and_four_bytes() -> None:
    device = FlowComputer()
    asked = points(
        *(f"enron:{5001 + at}:uint32" for at in range(70)),
        "enron:7001:float32",
        "enron:7003:float32",
    )
    reading = device.poll(plan_of(asked))
    assert set(reasons(reading)) == {Reason.NONE}
    assert values_of(asked, reading) == [*range(5001, 5071), 7001.0, 7003.0]
    assert device.asked == [(3, 5001, 62), (3, 5063, 8), (3, 7001, 3)]
    assert connection().max_registers == 125
