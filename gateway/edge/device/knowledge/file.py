"""The file of what is known of devices: written whole, never half.

It is advice. What it says is tried again by and by whatever it says, so one that is lost, or
older than the devices, costs some requests and no value.
"""

import os
from pathlib import Path
from typing import Any

import msgspec

from gateway.durable import sync_folder

FORMAT = 1


class Known(msgspec.Struct, frozen=True):
    """What is known of the polled group of a device.

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
        devices: by device and group.
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


def write(path: Path, content: bytes) -> None:
    """Replace the file; after a power cut it is the old one or the new one.

    Raises:
        OSError: the disk does not take it; the old one is there.
    """
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)
