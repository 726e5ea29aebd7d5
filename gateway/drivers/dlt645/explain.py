"""What a frame says, for people. Pure."""

from gateway.drivers.dlt645.codec import ITEM, MORE, REFUSED, Control, Frame, Hearing, error_words
from gateway.drivers.dlt645.formats import is_number, shown, size_of
from gateway.drivers.dlt645.items import known, titles
from gateway.drivers.frames import Frame as Kept

_ASKED = {Control.READ: "read", Control.READ_MORE: "read on"}


def explain(kept: Kept) -> str:
    """The frames in what was kept; whatever the bytes."""
    frames = Hearing().receive(kept.data)
    return "; ".join(map(_words, frames)) or (f"{len(kept.data)} bytes" if kept.data else "")


def _words(frame: Frame) -> str:
    what = _ASKED.get(Control(frame.control & 0x1F)) if _is_known(frame) else None
    verb = what or f"control {frame.control:02X}H"
    if not frame.control & 0x80:
        return f"meter {frame.meter}: {verb} {_item(frame)}"
    if frame.control & REFUSED:
        return f"meter {frame.meter}: refuses: {error_words(frame.data[0] if frame.data else 0)}"
    more = ", more follows" if frame.control & MORE else ""
    return f"meter {frame.meter}: {_item(frame)} = {_values(frame)}{more}"


def _values(frame: Frame) -> str:
    """The numbers of a known identifier, one after the other; else the bytes, lowest last."""
    item, data = known(frame.data[:ITEM][::-1].hex().upper()), frame.data[ITEM:]
    size = 0 if item is None else item.size or size_of(item.format)
    if item is None or len(data) % size or not is_number(item.format):
        return data[::-1].hex().upper()
    parts = (data[at : at + size] for at in range(0, len(data), size))
    return " ".join(shown(item.format, part) for part in parts)


def _is_known(frame: Frame) -> bool:
    return frame.control & 0x1F in set(Control)


def _item(frame: Frame) -> str:
    identifier = frame.data[:ITEM][::-1].hex().upper()
    zh, _ = titles(identifier)
    return f"{identifier} ({zh})" if zh else identifier
