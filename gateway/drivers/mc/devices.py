"""The devices of a MELSEC controller: their codes, and how their numbers are written. Pure.

Source: SLMP reference manual SH-080956ENG, section 5.2 (device codes). Devices of 32 bits each
(LTN, LSTN, LCN, LZ) are not among them.
"""

from typing import NamedTuple


class Device(NamedTuple):
    """One kind of device.

    Attributes:
        code: in a binary message.
        radix: of its numbers as GX Works shows them: 10 or 16.
        is_bits: whether each holds one bit; else it holds a word of 16 bits.
        is_writable: whether a value may be written from outside.
    """

    code: int
    radix: int = 10
    is_bits: bool = False
    is_writable: bool = True


DEVICES = {
    "D": Device(0xA8),
    "W": Device(0xB4, 16),
    "R": Device(0xAF),
    "ZR": Device(0xB0),
    "RD": Device(0x2C),
    "TN": Device(0xC2),
    "STN": Device(0xC8),
    "CN": Device(0xC5),
    "SD": Device(0xA9),
    "SW": Device(0xB5, 16),
    "Z": Device(0xCC),
    "M": Device(0x90, is_bits=True),
    "L": Device(0x92, is_bits=True),
    "F": Device(0x93, is_bits=True),
    "V": Device(0x94, is_bits=True),
    "S": Device(0x98, is_bits=True, is_writable=False),
    "B": Device(0xA0, 16, is_bits=True),
    "X": Device(0x9C, 16, is_bits=True, is_writable=False),
    "Y": Device(0x9D, 16, is_bits=True),
    "DX": Device(0xA2, 16, is_bits=True, is_writable=False),
    "DY": Device(0xA3, 16, is_bits=True),
    "SM": Device(0x91, is_bits=True),
    "SB": Device(0xA1, 16, is_bits=True),
    "TS": Device(0xC1, is_bits=True, is_writable=False),
    "TC": Device(0xC0, is_bits=True, is_writable=False),
    "STS": Device(0xC7, is_bits=True, is_writable=False),
    "STC": Device(0xC6, is_bits=True, is_writable=False),
    "CS": Device(0xC4, is_bits=True, is_writable=False),
    "CC": Device(0xC3, is_bits=True, is_writable=False),
}
"""By name. RD exists in the iQ-R series only."""

NAMES = sorted(DEVICES, key=len, reverse=True)
"""The longest first, so that ``SB10`` is not taken for step relay ``S``."""

WORD_BITS = 16


def written(name: str, number: int) -> str:
    """A device as GX Works shows it: ``D100``, ``X1F``."""
    return f"{name}{number:X}" if DEVICES[name].radix == WORD_BITS else f"{name}{number}"
