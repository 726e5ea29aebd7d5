"""A MELSEC controller: MC protocol (SLMP), 3E and 4E frames, binary code, over TCP.

Source: SLMP reference manual SH-080956ENG, commands 0401, 0403 and 1401 in the naming of Q and L.
"""

import asyncio
import struct
from collections.abc import Callable

from simulators.manual import SoftDevice, Unit
from simulators.servers.registers import raw_bytes
from simulators.servers.serving import port_in_use

CODES = {0xA8: "D", 0xB4: "W", 0xAF: "R", 0xC2: "TN", 0xC5: "CN", 0xA9: "SD"}
BIT_CODES = {0x90: "M", 0x9C: "X", 0x9D: "Y", 0xA0: "B", 0x92: "L", 0x91: "SM"}
LAST = {"D": 12_287, "W": 0x1FFF, "R": 32_767}
"""The highest numbers of a Q CPU in its usual parameters; of the others 8191."""
OTHERS_LAST = 8_191

_BEYOND, _UNKNOWN_DEVICE, _UNKNOWN_COMMAND, _MALFORMED = 0x4031, 0x4030, 0xC059, 0xC05C
_HEADS = {b"\x50\0": (b"\xd0\0", 0), b"\x54\0": (b"\xd4\0", 4)}
"""How an answer begins, and bytes of serial number, by how the request begins."""


class _RefusedError(Exception):
    """An end code."""


class Memory:
    """Words by device and number; of bit devices bits."""

    def __init__(self) -> None:
        self._cells: dict[str, dict[int, int]] = {}

    def words(self, code: int, first: int, count: int) -> list[int]:
        """Neighbouring words; of a bit device 16 bits each, the lowest number in the lowest bit."""
        if code in BIT_CODES:
            bits = self._get(BIT_CODES[code], first, 16 * count)
            return [
                sum(bit << i for i, bit in enumerate(bits[at : at + 16]))
                for at in range(0, len(bits), 16)
            ]
        return self._get(_word_device(code), first, count)

    def bits(self, code: int, first: int, count: int) -> list[int]:
        """Neighbouring bits."""
        return self._get(_bit_device(code), first, count)

    def set_words(self, code: int, first: int, words: list[int]) -> None:
        """Write neighbouring words of a word device."""
        self.put(_word_device(code), first, words)

    def set_bits(self, code: int, first: int, bits: list[int]) -> None:
        """Write neighbouring bits."""
        self.put(_bit_device(code), first, bits)

    def put(self, device: str, first: int, values: list[int]) -> None:
        """Write words or bits of a device by its name."""
        self._check(device, first, len(values))
        self._cells.setdefault(device, {}).update(enumerate(values, first))

    def _get(self, device: str, first: int, count: int) -> list[int]:
        self._check(device, first, count)
        cells = self._cells.get(device, {})
        return [cells.get(number, 0) for number in range(first, first + count)]

    def _check(self, device: str, first: int, count: int) -> None:
        if first + count - 1 > LAST.get(device, OTHERS_LAST):
            raise _RefusedError(_BEYOND)


def _word_device(code: int) -> str:
    if code not in CODES:
        raise _RefusedError(_UNKNOWN_DEVICE if code not in BIT_CODES else _MALFORMED)
    return CODES[code]


def _bit_device(code: int) -> str:
    if code not in BIT_CODES:
        raise _RefusedError(_UNKNOWN_DEVICE if code not in CODES else _MALFORMED)
    return BIT_CODES[code]


def _place(data: bytes, at: int) -> tuple[int, int]:
    """Code and number of a device."""
    return data[at + 3], int.from_bytes(data[at : at + 3], "little")


def _packed(words: list[int]) -> bytes:
    return struct.pack(f"<{len(words)}H", *words)


def _batch_read(memory: Memory, unit: int, data: bytes) -> bytes:
    code, first = _place(data, 0)
    (count,) = struct.unpack_from("<H", data, 4)
    if unit == 0:
        return _packed(memory.words(code, first, count))
    bits = [*memory.bits(code, first, count), 0]
    return bytes(bits[at] << 4 | bits[at + 1] for at in range(0, count, 2))


def _random_read(memory: Memory, unit: int, data: bytes) -> bytes:
    words, pairs = data[0], data[1]
    if unit != 0 or len(data) != 2 + 4 * (words + pairs):
        raise _RefusedError(_MALFORMED)
    found: list[int] = []
    for place in range(words + pairs):
        code, first = _place(data, 2 + 4 * place)
        found += memory.words(code, first, 1 if place < words else 2)
    return _packed(found)


def _batch_write(memory: Memory, unit: int, data: bytes) -> bytes:
    code, first = _place(data, 0)
    (count,) = struct.unpack_from("<H", data, 4)
    if len(data) - 6 != (2 * count if unit == 0 else (count + 1) // 2):
        raise _RefusedError(_MALFORMED)
    if unit == 0:
        memory.set_words(code, first, list(struct.unpack_from(f"<{count}H", data, 6)))
    else:
        bits = [half for byte in data[6:] for half in (byte >> 4, byte & 15)]
        memory.set_bits(code, first, bits[:count])
    return b""


def _refuse(_memory: Memory, _unit: int, _data: bytes) -> bytes:
    raise _RefusedError(_UNKNOWN_COMMAND)


_COMMANDS: dict[int, Callable[[Memory, int, bytes], bytes]] = {
    0x0401: _batch_read,
    0x0403: _random_read,
    0x1401: _batch_write,
}


def answered(memory: Memory, message: bytes) -> bytes:
    """The answer to a whole message."""
    begin, numbered = _HEADS[message[:2]]
    route = message[2 + numbered : 7 + numbered]
    command, unit = struct.unpack_from("<HH", message, 11 + numbered)
    end, body = 0, b""
    do = _COMMANDS.get(command if unit <= 1 else 0, _refuse)
    try:
        body = do(memory, unit, message[15 + numbered :])
    except _RefusedError as error:
        end = error.args[0]
    except (struct.error, IndexError):
        end = _MALFORMED
    if end:
        body = route + struct.pack("<HH", command, unit)
    length = struct.pack("<HH", len(body) + 2, end)
    return begin + message[2 : 2 + numbered] + route + length + body


class MelsecController:
    """One controller: shows its machine in its devices, as its program would."""

    def __init__(self, host: str, port: int, unit: Unit) -> None:
        self._at = (host, port)
        self._unit = unit
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.memory = Memory()

    async def start(self) -> None:
        """Listen.

        Raises:
            PortInUseError: the port cannot be listened on.
        """
        await self.refresh()
        try:
            self._server = await asyncio.start_server(self._serve, *self._at)
        except OSError as error:
            raise port_in_use(*self._at, "MC protocol") from error

    async def refresh(self) -> None:
        """Show the machine as it is now."""
        for entry in self._unit.manual.entries:
            if isinstance(entry.place, SoftDevice):
                self._show(entry.place, self._unit.raw(entry))

    def _show(self, place: SoftDevice, value: float | bool | str) -> None:
        if place.type == "bool":
            self.memory.put(place.device, place.number, [int(bool(value))])
            return
        raw = raw_bytes(value, place.type, place.length, "little")
        words = struct.unpack(f"<{len(raw) // 2}H", raw)
        self.memory.put(place.device, place.number, list(words))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while (begin := await reader.readexactly(2)) in _HEADS:
                head = begin + await reader.readexactly(7 + _HEADS[begin][1])
                (length,) = struct.unpack_from("<H", head, len(head) - 2)
                writer.write(answered(self.memory, head + await reader.readexactly(length)))
        except (asyncio.IncompleteReadError, OSError):
            pass  # the client has gone
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
