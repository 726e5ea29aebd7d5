"""Where frames begin and end in a stream of bytes, and what in them says whose they are. Pure.

Sources: MODBUS Messaging on TCP/IP V1.0b, 3.1.3; MODBUS over Serial Line V1.02, 2.5.1 and 6.2.2;
DL/T 645-2007, 5.2 (frames).
"""

from typing import Protocol

_READS = range(1, 5)
_ECHOED = (5, 6, 15, 16)


class Framing(Protocol):
    """How requests and answers stand in a stream.

    Attributes:
        header: bytes at the begin of a frame in which a changed bit can be noticed; 0: in all of
            it, as a checksum covers it.
    """

    header: int

    def cut(self, data: bytes, *, is_request: bool) -> tuple[list[bytes], bytes]:
        """The whole frames in what came, and the rest."""

    def key(self, frame: bytes) -> bytes:
        """What an answer and its request have in common; empty: one is under way at a time."""

    def unit(self, frame: bytes) -> int:
        """Whose it is."""

    def pdu(self, frame: bytes) -> bytes:
        """Function code and data; empty where there is no such thing."""

    def with_pdu(self, frame: bytes, pdu: bytes) -> bytes:
        """The same frame, sound, with other contents."""

    def with_unit(self, frame: bytes, unit: int) -> bytes:
        """The same frame, sound, of another unit."""

    def with_key(self, frame: bytes, by: int) -> bytes:
        """The same frame, sound, with another transaction id, if there are any."""


class Raw:
    """Bytes of which nothing is known: what comes in one piece is a frame."""

    header = 0

    def cut(self, data: bytes, *, is_request: bool) -> tuple[list[bytes], bytes]:  # noqa: ARG002 - both alike
        """All of it is one frame."""
        return [data], b""

    def key(self, _frame: bytes) -> bytes:
        """Nothing."""
        return b""

    def unit(self, _frame: bytes) -> int:
        """Always 0."""
        return 0

    def pdu(self, _frame: bytes) -> bytes:
        """Nothing."""
        return b""

    def with_pdu(self, frame: bytes, _pdu: bytes) -> bytes:
        """The frame as it is."""
        return frame

    def with_unit(self, frame: bytes, _unit: int) -> bytes:
        """The frame as it is."""
        return frame

    def with_key(self, frame: bytes, _by: int) -> bytes:
        """The frame as it is."""
        return frame


class Tcp(Raw):
    """Modbus TCP: transaction, protocol, length, unit, PDU."""

    header = 8

    def cut(self, data: bytes, *, is_request: bool) -> tuple[list[bytes], bytes]:  # noqa: ARG002 - both alike
        """By the length field."""
        frames: list[bytes] = []
        while len(data) >= 6 and len(data) >= (size := 6 + int.from_bytes(data[4:6], "big")):
            frames.append(data[:size])
            data = data[size:]
        return frames, data

    def key(self, frame: bytes) -> bytes:
        """The transaction id."""
        return frame[:2]

    def unit(self, frame: bytes) -> int:
        """0…255."""
        return frame[6] if len(frame) > 6 else 0

    def pdu(self, frame: bytes) -> bytes:
        """After the header."""
        return frame[7:]

    def with_pdu(self, frame: bytes, pdu: bytes) -> bytes:
        """With the length that it needs."""
        return frame[:4] + (len(pdu) + 1).to_bytes(2, "big") + frame[6:7] + pdu

    def with_unit(self, frame: bytes, unit: int) -> bytes:
        """0…255."""
        return frame[:6] + bytes((unit & 0xFF,)) + frame[7:]

    def with_key(self, frame: bytes, by: int) -> bytes:
        """Another transaction id."""
        return ((int.from_bytes(frame[:2], "big") + by) & 0xFFFF).to_bytes(2, "big") + frame[2:]


class Rtu(Raw):
    """Modbus RTU, as a transparent serial server passes it on: unit, PDU, CRC."""

    def cut(self, data: bytes, *, is_request: bool) -> tuple[list[bytes], bytes]:
        """By the lengths that functions have; what has an unknown one is taken as it came."""
        frames: list[bytes] = []
        while len(data) >= 5:
            size = _request_size(data) if is_request else _answer_size(data)
            if size == 0:
                return [*frames, data], b""
            if len(data) < size:
                break
            frames.append(data[:size])
            data = data[size:]
        return frames, data

    def unit(self, frame: bytes) -> int:
        """0…255."""
        return frame[0]

    def pdu(self, frame: bytes) -> bytes:
        """Between unit and CRC."""
        return frame[1:-2]

    def with_pdu(self, frame: bytes, pdu: bytes) -> bytes:
        """With its CRC."""
        return with_crc(frame[:1] + pdu)

    def with_unit(self, frame: bytes, unit: int) -> bytes:
        """With its CRC."""
        return with_crc(bytes((unit & 0xFF,)) + frame[1:-2])


class Dlt645(Raw):
    """DL/T 645: FE …, 68, address, 68, control code, length, data, checksum, 16."""

    def cut(self, data: bytes, *, is_request: bool) -> tuple[list[bytes], bytes]:  # noqa: ARG002 - both alike
        """By the length field; what wakes the receiver belongs to the frame."""
        frames: list[bytes] = []
        while len(data) >= (at := len(data) - len(data.lstrip(b"\xfe"))) + 10:
            size = at + 12 + data[at + 9]
            if len(data) < size:
                break
            frames.append(data[:size])
            data = data[size:]
        return frames, data

    def unit(self, frame: bytes) -> int:
        """The address as it is printed on the meter, as a number."""
        address = frame.lstrip(b"\xfe")[1:7][::-1].hex()
        return int(address) if address.isdigit() else 0

    def with_unit(self, frame: bytes, unit: int) -> bytes:
        """With its checksum."""
        body = frame.lstrip(b"\xfe")
        body = body[:1] + bytes.fromhex(f"{unit % 10**12:012d}")[::-1] + body[7:-2]
        return body + bytes((sum(body) & 0xFF, 0x16))


FRAMINGS: dict[str, Framing] = {"tcp": Tcp(), "rtu": Rtu(), "dlt645": Dlt645(), "raw": Raw()}
"""By the word of the command line."""


def with_crc(body: bytes) -> bytes:
    """An RTU frame: the CRC-16 follows, low byte first."""
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return body + value.to_bytes(2, "little")


def _request_size(data: bytes) -> int:
    """Of the RTU request at the begin; 0: unknown."""
    if data[1] in _READS or data[1] in (5, 6):
        return 8
    if data[1] in (15, 16):
        return 9 + data[6] if len(data) > 6 else 9
    return 0


def _answer_size(data: bytes) -> int:
    """Of the RTU answer at the begin; 0: unknown."""
    if data[1] & 0x80:
        return 5
    if data[1] in _READS:
        return 5 + data[2]
    return 8 if data[1] in _ECHOED else 0
