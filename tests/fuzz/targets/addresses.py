"""Addresses as people write them, in files and point tables: what is accepted means one thing."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from edge_config.models.validation import validated
from gateway.drivers import dlt645, mc, modbus, opcua, s7
from gateway.drivers.api import Point
from gateway.drivers.spec import DriverSpec
from tests.fuzz.harness import Case, Target
from tests.fuzz.targets.values import LAYOUTS

SPECS = (modbus.SPEC, mc.SPEC, s7.SPEC, dlt645.SPEC, opcua.SPEC)
MORE = {
    "modbus": ("40101:uint16", "holding:0x10.4-7", "3!input:5:float32:CDAB", "coil:7"),
    "mc": ("ZR100:string[4]:shift_jis", "RD5:float64", "X0o17"),
    "s7": ("DB1.DBX0.0:lreal", "VW10:int", "%MB7", "DB2.DBB0:wstring[5]"),
    "dlt645": ("0201FF00[2]:XXX.X", "A相电压", "04000403:ascii[32]"),
    "opcua": ("nsu=urn:x;s=Press|[3]|int32", "ns=2;i=5|.Motor.Speed|float32", "i=2258|string"),
}
_WIDE = str.maketrans("0123456789:.", "０１２３４５６７８９：。")


def _texts(spec: DriverSpec) -> Callable[[Random], Case]:
    texts = [one.text for one in spec.examples] + list(MORE[spec.name])

    def decode(pieces: Sequence[bytes]) -> Any:
        return validated(spec.address, b"".join(pieces).decode("utf-8", "replace"))

    def holds(_: bytes, address: Any) -> bool:
        """Written out, it is the same address; and a plan can be made of it."""
        point = Point("t", spec.kind(address), address)
        if (layout := LAYOUTS.get(spec.name)) is not None:
            layout((point,))
        return bool(validated(spec.address, str(address)) == address)

    def make(dice: Random) -> Case:
        return Case(dice.choice(texts).encode(), decode, holds, _in_wide_digits)

    return make


def _in_wide_digits(data: bytes) -> bytes:
    return data.decode("utf-8", "replace").translate(_WIDE).encode()


TARGETS = tuple(Target(f"{one.name}/addresses", _texts(one), (ValueError,)) for one in SPECS)
