"""Machine profiles from the manuals: the point tables an engineer would write by them."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from simulators.manual import LINE, Cell, Entry, Manual, Node, Place, SoftDevice
from simulators.servers.registers import size_of

_HEXADECIMAL = frozenset({"X", "Y", "B", "W"})
_WIDTHS = {1: "B", 2: "W", 4: "D"}


def address(place: Place) -> str | dict[str, str]:
    """A place as the gateway's drivers write it."""
    if isinstance(place, SoftDevice):
        return _melsec(place)
    if isinstance(place, Cell):
        return _simatic(place)
    if isinstance(place, Node):
        return {"node": f"nsu={LINE};s={{node}}/{place.names}", "type": place.type}
    where = f"{place.table}:{place.register}"
    if place.type == "bool":
        return where if place.bit is None else f"{where}.{place.bit}"
    length = f"[{place.length}]" if place.length else ""
    order = "" if place.order == "ABCD" else f":{place.order}"
    return f"{where}:{place.type}{length}{order}"


def _melsec(place: SoftDevice) -> str:
    number = f"{place.number:X}" if place.device in _HEXADECIMAL else str(place.number)
    length = f"[{place.length}]" if place.length else ""
    what = "" if place.type == "bool" else f":{place.type}{length}"
    return f"{place.device}{number}{what}"


def _simatic(place: Cell) -> str:
    is_db = place.block.startswith("DB")
    before = f"{place.block}.DB" if is_db else place.block
    if place.type == "bool":
        return f"{before}{'X' if is_db else ''}{place.start}.{place.bit}"
    length = f"[{place.length}]" if place.length else ""
    width = "B" if length else _WIDTHS.get(size_of(place.type), "B")
    return f"{before}{width}{place.start}:{place.type}{length}"


def profile(manual: Manual) -> dict[str, Any]:
    """The profile of a type of machine, as data."""
    return {
        "name": manual.name,
        "driver": manual.protocol,
        "source": manual.source,
        "title_zh": manual.title_zh,
        "title_en": manual.title_en,
        "provenance": manual.provenance,
        "verified_on_hardware": False,
        "groups": [
            {
                "name": "main",
                "interval_ms": manual.interval_ms,
                "tags": [dict(_tag(entry)) for entry in manual.entries],
            }
        ],
    }


def _tag(entry: Entry) -> Iterator[tuple[str, Any]]:
    yield "name", entry.name
    yield "address", address(entry.place)
    optional: Mapping[str, Any] = {
        "unit": entry.unit or None,
        "role": None if entry.role == "value" else entry.role,
        "label_zh": entry.label_zh,
        "label_en": entry.label_en,
        "scale": entry.scale,
        "minimum": entry.minimum,
        "maximum": entry.maximum,
        "deadband": entry.deadband or None,
    }
    yield from ((key, value) for key, value in optional.items() if value is not None)


def text(manual: Manual) -> str:
    """The profile as YAML."""
    head = f"# {manual.title_zh} / {manual.title_en}. Synthetic: of a simulated machine.\n"
    return head + yaml.safe_dump(profile(manual), allow_unicode=True, sort_keys=False, width=100)
