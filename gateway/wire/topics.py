"""MQTT topics. The topic names the gateway; the broker binds it to that gateway's credential."""

import re
from dataclasses import dataclass
from zlib import crc32

PARTITIONS = 256
ROOT = "qulink/1"

_GATEWAY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_UP = re.compile(rf"{ROOT}/up/(\d{{1,3}})/({_GATEWAY_ID.pattern})/(frame|state)")


@dataclass(frozen=True, slots=True)
class Uplink:
    """A parsed uplink topic."""

    partition: int
    gateway: str
    channel: str


def is_gateway_id(text: str) -> bool:
    """Whether a text can be a gateway id: 1–63 of ``a-z 0-9 -``, not beginning with ``-``."""
    return _GATEWAY_ID.fullmatch(text) is not None


def partition_of(gateway: str) -> int:
    """Partition of a gateway: ``crc32(gateway) mod 256``, fixed for ever."""
    return crc32(gateway.encode()) % PARTITIONS


def frame_topic(gateway: str) -> str:
    """Where a gateway publishes its frames (QoS 1, never retained)."""
    return f"{ROOT}/up/{partition_of(gateway)}/{gateway}/frame"


def state_topic(gateway: str) -> str:
    """Where a gateway says that it lives, and its last will (QoS 1, never retained)."""
    return f"{ROOT}/up/{partition_of(gateway)}/{gateway}/state"


def ack_topic(gateway: str) -> str:
    """Where the city acknowledges what its store has committed."""
    return f"{ROOT}/down/{gateway}/ack"


def parse_uplink(topic: str) -> Uplink:
    """Read an uplink topic.

    Raises:
        ValueError: not an uplink topic, or its partition is not the gateway's.
    """
    match = _UP.fullmatch(topic)
    if match is None:
        raise ValueError(f"topic {topic!r} is no uplink topic of {ROOT}")
    partition, gateway, channel = int(match[1]), match[2], match[3]
    if partition != partition_of(gateway):
        raise ValueError(
            f"topic {topic!r}: gateway {gateway!r} belongs to partition {partition_of(gateway)}"
        )
    return Uplink(partition, gateway, channel)
