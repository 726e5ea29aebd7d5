"""The file of what is known of devices: written whole, never half.

It is advice. What it says is tried again by and by whatever it says, so one that is lost, or
older than the devices, costs some requests and no value.
"""

from pathlib import Path
from typing import Any

import msgspec

FORMAT = 1


class Known(msgspec.Struct, frozen=True):
    """What is known of the polled group of a device, or of its connection.

    Attributes:
        fingerprint: of the configuration it was learnt under.
        knowledge: as the plan gave it.
    """

    fingerprint: str
    knowledge: Any


class Content(msgspec.Struct, frozen=True):
    """All of the file.

    Attributes:
        format: see ``FORMAT``.
        devices: by device and group; the group is empty for the device's connection.
    """

    format: int
    devices: dict[str, dict[str, Known]]


def encoded(devices: dict[str, dict[str, Known]]) -> bytes:
    """The file's bytes, the same for the same knowledge."""
    return msgspec.json.encode(Content(FORMAT, devices), order="deterministic")


def read(path: Path) -> dict[str, dict[str, Known]]:
    """What a file holds; nothing if there is none.

    Raises:
        OSError: it cannot be read.
        ValueError: it is none of ours, or of another version.
    """
    try:
        content = msgspec.json.decode(path.read_bytes(), type=Content)
    except FileNotFoundError:
        return {}
    if content.format != FORMAT:
        raise ValueError(f"format {content.format} instead of {FORMAT}")
    return content.devices
