"""MQTT topics. The topic names the gateway; the broker binds it to that gateway's credential.

``qulink/2/up/<partition>/<gateway>/frame`` and ``…/state`` go to the city,
``qulink/2/down/<gateway>/ack`` comes from it. The city publishes commands on ``…/command`` (down),
and the gateway answers on ``…/reply`` (up).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

PARTITIONS = 1024
"""Shares that workers of the city divide among themselves. It can never change, because it decides
where a gateway publishes: enough that a million gateways leave a thousand in each, which one worker
can load in a moment, and few enough that a worker can subscribe to each of its own."""
ALL_PARTITIONS = frozenset(range(PARTITIONS))

ROOT = "qulink/2"

_GATEWAY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_UP = re.compile(rf"{ROOT}/up/(\d{{1,4}})/({_GATEWAY_ID.pattern})/(frame|state)")


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
    """Partition of a gateway: ``crc32(gateway) mod PARTITIONS``, fixed for ever."""
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


def command_topic(gateway: str) -> str:
    """Where the city gives a gateway commands (QoS 1, never retained)."""
    return f"{ROOT}/down/{gateway}/command"


def reply_topic(gateway: str) -> str:
    """Where a gateway answers commands (QoS 0: whoever misses an answer asks again)."""
    return f"{ROOT}/up/{partition_of(gateway)}/{gateway}/reply"


def parse_uplink(topic: str) -> Uplink:
    """Read an uplink topic.

    Raises:
        ValueError: not an uplink topic, or its partition is not the gateway's.
    """
    match = _UP.fullmatch(topic)
    if match is None:
        raise ValueError(f"topic {topic!r} is no uplink topic of {ROOT}")
    partition, gateway, channel = int(match[1]), match[2], match[3]
    # Else a gateway could choose its worker, and two could write its progress.
    if partition != partition_of(gateway):
        raise ValueError(
            f"topic {topic!r}: gateway {gateway!r} belongs to partition {partition_of(gateway)}"
        )
    return Uplink(partition, gateway, channel)


address = lru_cache(maxsize=131_072)(parse_uplink)
"""The same, remembered: a city reads the same few topics again and again."""
