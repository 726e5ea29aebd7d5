"""Records of files (functions 20 and 21), and registers by function 23."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu.file_message import (
    FileRecord,
    ReadFileRecordRequest,
    ReadFileRecordResponse,
    WriteFileRecordRequest,
)
from pymodbus.pdu.register_message import (
    ReadWriteMultipleRegistersRequest,
    ReadWriteMultipleRegistersResponse,
)

from edge_config.models.validation import validated
from gateway.drivers.api import DriverError, NoResponseError
from gateway.drivers.modbus import SPEC, codec
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.framing.ascii import AsciiLine
from gateway.drivers.modbus.framing.mbap import Transactions
from gateway.drivers.modbus.framing.rtu import RtuLine
from gateway.drivers.modbus.notations.manuals import in_notation, noted
from gateway.drivers.modbus.notations.ranges import Range
from gateway.drivers.modbus.plan import layout, write_request
from tests.drivers.modbus.lines.bus import bus, on_line
from tests.drivers.modbus.peers import libmodbus, pymodbus
from tests.drivers.modbus.support import connected, connection, points, read, reasons
from tests.drivers.modbus.test_functions import FRAMINGS, framed

FILES, RECORD = st.integers(1, 65_535), st.integers(0, 9_879)
WORDS = st.binary(min_size=1, max_size=121).map(lambda half: half + half)


def test_vectors() -> None:
    """Application Protocol V1.1b3: the first records of 6.14, and the examples of 6.15."""
    asked = codec.read_records(4, 1, 2)
    assert asked.pdu == bytes.fromhex("14 07 06 0004 0001 0002")
    assert asked.head == bytes.fromhex("14 06 05 06")
    words = bytes.fromhex("06af 04be 100d")
    written = codec.write_records(4, 7, words)
    assert written.pdu == written.head == bytes.fromhex("15 0d 06 0004 0007 0003") + words
    both = codec.write_and_read(14, bytes.fromhex("00ff 00ff 00ff"))
    assert both.pdu == bytes.fromhex("17 000e 0003 000e 0003 06 00ff 00ff 00ff")
    assert (both.head, both.size) == (b"\x17\x06", 8)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: codec.read_records(1, 0, 122),
        lambda: codec.read_records(1, 9_999, 2),
        lambda: codec.write_records(1, 0, bytes(246)),
        lambda: codec.write_records(1, 9_999, bytes(4)),
        lambda: codec.write_and_read(0, bytes(244)),
        lambda: codec.write_and_read(65_535, bytes(4)),
    ],
)
def test_limits(wrong: Any) -> None:
    assert len(codec.read_records(1, 9_879, 121).pdu) == 9
    assert len(codec.write_records(1, 9_878, bytes(244)).pdu) == 253
    assert len(codec.write_and_read(65_415, bytes(242)).pdu) == 252
    with pytest.raises(ValueError, match=r"the protocol allows 1 to|the last one is"):
        wrong()


@FRAMINGS
@given(file=FILES, record=RECORD, words=WORDS, size=st.integers(1, 60))
def test_pymodbus_is_asked_and_answers_alike(
    framing: type[Transactions | RtuLine], file: int, record: int, words: bytes, size: int
) -> None:
    asked = codec.read_records(file, record, len(words) // 2)
    # It is told twice as many as it asks for, and reads half of what it is asked for.
    theirs = FileRecord(file_number=file, record_number=record, record_length=len(words))
    assert asked.pdu[1:] == ReadFileRecordRequest(records=[theirs]).encode()
    answer = b"\x14" + ReadFileRecordResponse(records=[FileRecord(record_data=words)]).encode()
    series = framing()
    series.begin(7, [asked])
    stream = framed(series, answer)
    for at in range(0, len(stream), size):
        series.receive(stream[at : at + size])
    assert series.answers == [words]


@given(file=FILES, record=RECORD, words=WORDS)
def test_pymodbus_is_written_alike(file: int, record: int, words: bytes) -> None:
    request = WriteFileRecordRequest()
    request.decode(codec.write_records(file, record, words).pdu[1:])
    (one,) = request.records
    assert (one.file_number, one.record_number, one.record_data) == (file, record, words)
    both = ReadWriteMultipleRegistersRequest()
    asked = codec.write_and_read(record, words)
    both.decode(asked.pdu[1:])
    registers = [int.from_bytes(words[at : at + 2], "big") for at in range(0, len(words), 2)]
    assert (both.write_address, both.write_registers) == (record, registers)
    assert (both.read_address, both.read_count) == (record, len(registers))
    answer = b"\x17" + ReadWriteMultipleRegistersResponse(registers=registers).encode()
    assert answer.startswith(asked.head)
    assert len(answer) == asked.size


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.integers(0, 400), st.sampled_from(["uint16", "float64"])),
        min_size=1,
        max_size=40,
        unique=True,
    ),
    st.integers(4, 125),
    st.integers(0, 20),
)
def test_records_are_read_file_by_file_within_the_limits(
    wanted: list[tuple[int, int, str]], most: int, gap: int
) -> None:
    found = points(*(f"file{file}:{at}:{kind}" for file, at, kind in wanted))
    plan = layout(found, connection(max_registers=most, max_gap=gap))
    read_by: set[int] = set()
    for block in plan.blocks:
        assert block.request.pdu[:3] == b"\x14\x07\x06"
        file, first, count = (
            int.from_bytes(block.request.pdu[at : at + 2], "big") for at in (3, 5, 7)
        )
        assert count <= min(most, 121)
        for member in block.members:
            address = found[member].address
            assert address.file == file
            assert first <= address.address
            assert address.stop <= first + count
        read_by.update(block.members)
    assert read_by == set(range(len(found)))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("file:7:uint16", "table file needs 'file', its number, as in 'file4:7'"),
        ("file0:7", "file"),
        ("file4:9999:uint32", "address 9999 + 2 leaves 0 to 9999"),
        ("file4:0:string[122]", "122 records are more than a request may ask for"),
        ("600007:uint16", "6x are records of files: 'file4:7' is record 7 of file 4, counted fr"),
        ("6x0007", "6x are records of files"),
        ({"table": "holding", "file": 4, "address": 1}, "'file' is for table file only"),
    ],
)
def test_what_is_no_record_is_told(written: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        validated(Address, written)


@pytest.mark.parametrize("notation", ["reference", "wire", "from_1", "hex", None])
def test_records_are_counted_from_0_whatever_the_notation(notation: Any) -> None:
    address = validated(Address, {"table": "file", "file": 4, "address": 17, "type": "float32"})
    assert str(address) == "file4:17:float32"
    assert noted(address, notation) == "file4:17:float32"
    if notation is not None:
        for written in ("file4:17:float32", {"table": "file", "file": 4, "address": 17}):
            assert validated(Address, in_notation(written, notation)).address == 17


def test_a_range_names_no_file() -> None:
    with pytest.raises(ValueError, match="must be table:first-last"):
        Range.of("file:0-9")


def test_bits_of_a_record_are_not_written() -> None:
    (point,) = points("file4:7.3")
    assert SPEC.read_only(point.address) == (
        "no request changes some bits of a record alone; write the whole record"
    )
    with pytest.raises(DriverError, match="write the whole record"):
        write_request(point, True, connection())


@pytest.mark.parametrize("framing", [RtuLine, AsciiLine])
def test_what_is_written_by_function_23_is_not_repeated_and_what_is_read_is(framing: Any) -> None:
    """Both are answered with a count and data; after a silence a reading is asked once more."""
    for asked, answer, is_repeated in (
        (codec.write_and_read(3, b"\0\7"), b"\x17\2\0\7", False),
        (codec.read_records(4, 3, 1), b"\x14\4\3\6\0\7", True),
    ):
        series = framing()
        series.begin(7, [asked])
        series.give_up()
        series.begin(7, [asked])
        series.receive(framed(series, answer))
        assert series.doubted is not None
        assert bool(series.trust()) == is_repeated


class Cabinet:
    """A unit with files: each record holds its file and its place, until it is written."""

    def __init__(self) -> None:
        self.records: dict[tuple[int, int], bytes] = {}

    def answer(self, _unit: int, pdu: bytes) -> bytes:
        if pdu[0] not in (20, 21):
            return bytes((pdu[0] | 0x80, 1))
        file, first, count = (int.from_bytes(pdu[at : at + 2], "big") for at in (3, 5, 7))
        places = [(file, record) for record in range(first, first + count)]
        if pdu[0] == 20:
            words = b"".join(
                self.records.get(one, bytes((one[0], one[1] & 0xFF))) for one in places
            )
            return bytes((20, len(words) + 2, len(words) + 1, 6)) + words
        for at, one in enumerate(places):
            self.records[one] = pdu[9 + 2 * at : 11 + 2 * at]
        return pdu


@pytest.mark.parametrize("framing", ["rtu", "ascii"])
async def test_records_over_a_serial_line_late_ones_too(tmp_path: Path, framing: str) -> None:
    """An answer for one file that comes while another is asked for is not believed."""
    async with bus(tmp_path, framing) as line:
        line.answer = Cabinet().answer
        driver = SPEC.make(on_line(line.terminal.link, framing=framing, request_timeout_ms=200))
        await driver.connect()
        wanted = points("file4:7", "file4:9", "file5:7:uint32", "holding:0")
        reading = await driver.read(driver.plan(wanted))
        assert [reason.code for reason in reasons(reading)] == [*["none"] * 3, "illegal_function"]
        assert await read(driver, wanted[:3]) == [0x0407, 0x0409, 0x0507_0508]  # type: ignore[arg-type]
        first, second = (driver.plan(points(f"file{file}:7")) for file in (4, 5))
        for late_s in (0.25, 0.35, 0.5):
            line.late_s = {line.asked.total(): late_s}
            for plan, right in ((first, 0x0407), (second, 0x0507), (first, 0x0407)):
                try:
                    reading = await driver.read(plan)
                except NoResponseError:
                    continue
                assert any(reasons(reading)) or reading.columns[0][0] == right
            await asyncio.sleep(0.3)
        await driver.close()


@asynccontextmanager
async def _cabinet() -> AsyncIterator[int]:
    cabinet = Cabinet()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(6)
                body = await reader.readexactly(int.from_bytes(head[4:], "big"))
                answer = body[:1] + cabinet.answer(body[0], body[1:])
                writer.write(head[:4] + len(answer).to_bytes(2, "big") + answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def _peer(name: str, folder: Path) -> AsyncIterator[int]:
    if name == "pymodbus":
        async with pymodbus() as port:
            yield port
    else:
        with libmodbus(folder) as port:
            yield port


async def test_records_are_written_and_read_back() -> None:
    async with _cabinet() as port, connected(port) as driver:
        wanted = points("file4:7:float32:CDAB", "file4:9", "file5:0:string[4]")
        for point, value in zip(wanted, (2.5, 65_535, "P-7"), strict=True):
            await driver.write(point, value)
        assert await read(driver, wanted) == [2.5, 65_535, "P-7"]


async def test_pymodbus_answers_records() -> None:
    """Its server has one text for whatever is read, and takes what is written."""
    async with pymodbus() as port, connected(port) as driver:
        (text,) = points("file4:7:string[10]")
        assert await read(driver, [text]) == ["SERVER DUMMY RECORD."]
        await driver.write(points("file4:7:uint32")[0], 0x01020304)


@pytest.mark.parametrize("peer", ["libmodbus", "pymodbus"])
async def test_registers_are_written_by_function_23(peer: str, tmp_path: Path) -> None:
    async with _peer(peer, tmp_path) as port, connected(port, write_function=23) as driver:
        wanted = points("holding:3", "holding:10:float64:CDAB", "holding:20:string[4]")
        for point, value in zip(wanted, (0x0105, -2.5e-7, "P-101"), strict=True):
            assert write_request(point, value, connection(write_function=23)).pdu[0] == 23
            await driver.write(point, value)
        assert await read(driver, wanted) == [0x0105, -2.5e-7, "P-101"]
