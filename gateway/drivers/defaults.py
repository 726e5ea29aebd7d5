"""What a driver means that says nothing of it: the defaults of its ``SPEC``. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from edge_config.loading.specs import Extent, RawType
from edge_config.models.gateway import DeviceConfig, Notation
from gateway.drivers.frames import Frame


def as_written(written: Any, _notation: Notation) -> Any:
    """For drivers whose addresses are written in one way only."""
    return written


def in_text(address: Any, _notation: Notation | None) -> str:
    """For drivers whose addresses are written in one way only."""
    return str(address)


def as_they_are(_address: Any, _notation: Notation | None) -> dict[str, str]:
    """For drivers whose addresses are written in one way only."""
    return {}


def its_own(_address: Any) -> Extent | None:
    """For drivers whose addresses cannot lie over each other."""
    return None


def never_doubtful(_addresses: Sequence[Any]) -> Iterable[tuple[int, str]]:
    """For drivers whose addresses cannot lie over each other."""
    return ()


def only_itself(address: Any) -> Sequence[Any]:
    """For drivers without arrays."""
    return (address,)


_NUMBER = re.compile(r"(?P<sign>u?)int(?P<bits>8|16|24|32|48|64)|float(?:16|32|64)", re.ASCII)


def type_by_name(address: Any) -> RawType | None:
    """For drivers whose addresses have a ``type`` in the usual words: int16, uint32, float64."""
    name = str(getattr(address, "type", ""))
    found = _NUMBER.fullmatch(name)
    if found is None or found["bits"] is None:
        return RawType(name) if found else None
    bits = int(found["bits"])
    if found["sign"]:
        return RawType(name, 0, (1 << bits) - 1, bits)
    return RawType(name, -(1 << bits - 1), (1 << bits - 1) - 1, bits)


def never_strays(_connection: Any, _address: Any) -> str:
    """For drivers whose addresses fit every connection."""
    return ""


def never_read_only(_address: Any) -> str:
    """For drivers that write whatever the device lets them."""
    return ""


def never_unclear(_written: Any, _address: Any) -> str:
    """For drivers whose addresses mean the same to everybody."""
    return ""


def no_misfits(_connection: Any, _device: DeviceConfig) -> Iterable[tuple[str, str]]:
    """For drivers whose connection fits every device."""
    return ()


def no_unit_name(_connection: Any) -> str:
    """For drivers whose devices have an endpoint each."""
    return ""


def unexplained(_frame: Frame) -> str:
    """For drivers that keep no frames, or have no words for them."""
    return ""
