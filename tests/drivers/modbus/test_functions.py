"""Functions beside reading and writing whole values: 22, and 43/14, in every framing."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus import ModbusDeviceIdentification
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.drivers.api import DriverError
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.config import Framing
from gateway.drivers.modbus.framing import ascii as ascii_framing
from gateway.drivers.modbus.framing import rtu
from gateway.drivers.modbus.framing.ascii import AsciiLine
from gateway.drivers.modbus.framing.identification import IDENTIFICATION, identification_size
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.framing.rtu import RtuLine
from gateway.drivers.modbus.framing.series import Series
from gateway.drivers.modbus.identifying import identification, identify, part
from gateway.drivers.modbus.plan import write_request
from gateway.drivers.modbus.types.orders import Order
from tests.drivers.modbus.peers import libmodbus
from tests.drivers.modbus.support import connected, connection, points, read
from tests.support.peers import free_port

ASKED = identification(1, 0)


def answer(objects: dict[int, bytes], goes_on_at: int | None = None) -> bytes:
    """The PDU of an identification (Application Protocol V1.1b3, 6.21)."""
    body = b"".join(bytes((number, len(text))) + text for number, text in objects.items())
    more = bytes((0xFF, goes_on_at)) if goes_on_at is not None else b"\0\0"
    return b"\x2b\x0e\x01\x01" + more + bytes((len(objects),)) + body


def framed(series: Series, pdu: bytes) -> bytes:
    if isinstance(series, AsciiLine):
        return ascii_framing.frame(7, pdu)
    if isinstance(series, RtuLine):
        return rtu.frame(7, pdu)
    return b"\0\1\0\0" + (len(pdu) + 1).to_bytes(2, "big") + b"\7" + pdu


FRAMINGS = pytest.mark.parametrize("framing", [Transactions, RtuLine, AsciiLine])


def test_vectors() -> None:
    # The example of 6.21, and of 6.16: the register is 0x12, and becomes 0x17.
    assert ASKED.pdu == bytes.fromhex("2b0e0100")
    assert codec.mask_register(4, 0xF2, 0x25).pdu == bytes.fromhex("16 0004 00f2 0025")


@FRAMINGS
@given(st.dictionaries(st.integers(0, 255), st.binary(max_size=20), max_size=8), st.integers(1, 40))
def test_an_answer_of_any_length_is_read(
    framing: type[Transactions | RtuLine], objects: dict[int, bytes], size: int
) -> None:
    series, pdu = framing(), answer(objects)
    series.begin(7, [ASKED])
    stream = framed(series, pdu)
    for at in range(0, len(stream), size):
        series.receive(stream[at : at + size])
    assert series.answers == [pdu[2:]]
    assert list(part(pdu[2:]).objects) == list(objects)


@FRAMINGS
def test_a_refusal_is_one(framing: type[Transactions | RtuLine]) -> None:
    series = framing()
    series.begin(7, [ASKED])
    series.receive(framed(series, b"\xab\x01"))
    assert series.answers == [codec.ILLEGAL_FUNCTION]


@given(st.binary(min_size=5, max_size=60))
def test_false_lengths_do_no_harm(data: bytes) -> None:
    part(data)
    identification_size(IDENTIFICATION + data)


async def test_all_parts_are_asked_for_and_no_part_for_ever() -> None:
    parts = {0: ({0: b"ACME", 1: b"M7"}, 2), 2: ({2: b"1.4\0", 0x80: b"line 3"}, None)}

    async def unit(request: codec.Request) -> codec.Answer:
        return answer(*parts[request.pdu[3]])[2:]

    expected = {"vendor": "ACME", "product_code": "M7", "revision": "1.4", "object_128": "line 3"}
    assert await identify(unit) == expected

    async def parrot(_: codec.Request) -> codec.Answer:
        return answer({0: b"ACME"}, goes_on_at=1)[2:]

    assert await identify(parrot) == {"vendor": "ACME"}

    async def refuses(_: codec.Request) -> codec.Answer:
        return codec.ILLEGAL_FUNCTION

    assert await identify(refuses) == {}


@pytest.mark.parametrize("framing", ["tcp", "rtu", "ascii"])
async def test_pymodbus_says_who_it_is(framing: str) -> None:
    registers = [SimData(0, count=100, values=0, datatype=DataType.REGISTERS)]
    identity = ModbusDeviceIdentification(
        info_name={"VendorName": "ACME 轴承", "ProductCode": "M7", "MajorMinorRevision": "1.4"}
    )
    framer = FramerType.SOCKET if framing == "tcp" else FramerType(framing)
    port = free_port()
    server = ModbusTcpServer(
        SimDevice(1, registers), framer=framer, identity=identity, address=("127.0.0.1", port)
    )
    await server.serve_forever(background=True)
    try:
        async with connected(port, framing=Framing(framing)) as driver:
            said = await driver.identify()
            assert said["vendor"] == "ACME 轴承"
            assert (said["product_code"], said["revision"]) == ("M7", "1.4")
            assert await read(driver, points("holding:0")) == [0]
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("order", ["ABCD", "BADC"])
@given(bit=st.integers(0, 15), value=st.booleans(), before=st.integers(0, 0xFFFF))
def test_a_bit_that_is_written_is_the_bit_that_is_read(
    order: str, bit: int, value: bool, before: int
) -> None:
    (point,) = points(f"holding:9.{bit}")
    pdu = write_request(point, value, connection(order=Order(order))).pdu
    function, address = pdu[0], int.from_bytes(pdu[1:3], "big")
    kept, added = int.from_bytes(pdu[3:5], "big"), int.from_bytes(pdu[5:7], "big")
    after = (before & kept) | (added & ~kept)
    assert (function, address) == (22, 9)
    place = bit if order == "ABCD" else (bit + 8) % 16
    assert after == (before & ~(1 << place)) | (value << place)


async def test_bits_of_a_register_are_written_to_libmodbus(tmp_path: Path) -> None:
    with libmodbus(tmp_path) as port:
        async with connected(port) as driver:
            whole, bit = points("holding:3", "holding:3.9")
            await driver.write(whole, 0x0105)
            await driver.write(bit, True)
            assert await read(driver, [whole]) == [0x0305]
            await driver.write(bit, False)
            assert await read(driver, [whole]) == [0x0105]


async def test_a_device_without_function_22_refuses() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            request = await reader.readexactly(14)
            writer.write(request[:4] + b"\0\3" + request[6:7] + bytes((request[7] | 0x80, 1)))
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with connected(server.sockets[0].getsockname()[1]) as driver:
        with pytest.raises(DriverError, match=r"refused to write t0 .*illegal_function"):
            await driver.write(points("holding:3.9")[0], True)
    server.close()
