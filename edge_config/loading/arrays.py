"""Arrays: one tag as written is a tag for each of its values. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from edge_config.models.ledger_number import key_of
from edge_config.models.tag import MAX_TAG_NAME, TagConfig


def element(tag: TagConfig, at: int, address: str = "") -> TagConfig:
    """The tag of one value of an array: ``temperature_0`` of ``temperature``.

    Args:
        tag: the array.
        at: which value.
        address: its text form.
    """
    label_zh, label_en = (
        f"{label} [{at}]" if label else "" for label in (tag.label_zh, tag.label_en)
    )
    name = f"{tag.name}_{at}"
    return replace(tag, name=name, address=address, label_zh=label_zh, label_en=label_en)


def wrong_names(array: TagConfig, count: int, others: Iterable[TagConfig]) -> str:
    """Why the tags of an array cannot have their names, as a sentence; empty: they can.

    Args:
        array: as written.
        count: how many values it has.
        others: all tags of its profile as written, itself included.
    """
    last = element(array, count - 1).name
    if len(last) > MAX_TAG_NAME:
        return f"the values of this array are tags up to {last!r}, longer than {MAX_TAG_NAME}"
    made = {element(array, at).name for at in range(count)}
    machine = key_of(array.asset_no or "")
    taken = sorted(
        tag.name for tag in others if tag.name in made and key_of(tag.asset_no or "") == machine
    )
    return f"the machine has a tag {taken[0]!r} already, as a value of this array" if taken else ""
