"""Publish responses made in advance: only numbers, times and ids are written anew. Pure.

Layouts: OPC UA Part 4, 5.14.5 and 7.20; Part 6, 5.2.2.16 and 5.2.2.17.
"""

import struct
from collections.abc import Sequence

import numpy as np

_ITEM = np.dtype(
    [
        ("handle", "<u4"),
        ("mask", "u1"),
        ("type", "u1"),
        ("value", "<f8"),
        ("source", "<i8"),
        ("server", "<i8"),
    ]
)
_MASK = 0x01 | 0x04 | 0x08
"""A value with source and server time and no StatusCode, which means Good."""
_DOUBLE = 11
_RESPONSE = bytes((1, 0)) + (829).to_bytes(2, "little")
_DATA_CHANGE = bytes((1, 0)) + (811).to_bytes(2, "little") + b"\x01"
_HEAD = struct.Struct("<qIIBiHB")
"""Time, request handle, result, no diagnostics, no texts, no additional header."""
_SUBSCRIPTION = struct.Struct("<IiIBIqi")
"""Id, one sequence number to ask for again, none more, sequence number, time, one notification."""
_EPOCH_TICKS = 116_444_736_000_000_000
_IMAGES = 31
_SCAN = 100
"""Items that the server reads together and gives one source time."""
_SCAN_TICKS = 10_000


class Notifications:
    """All items of one subscription; each message has a new value of every item."""

    def __init__(self, handles: Sequence[int], seed: int) -> None:
        self._items = np.zeros(len(handles), _ITEM)
        self._items["handle"] = handles
        self._items["mask"] = _MASK
        self._items["type"] = _DOUBLE
        self._images = np.random.default_rng(seed).random((_IMAGES, len(handles))) * 1000
        self._scan = np.arange(len(handles)) // _SCAN * _SCAN_TICKS

    def response(
        self, subscription: int, sequence: int, request: int, acknowledged: int, at_s: float
    ) -> bytes:
        """The body of a PublishResponse.

        Args:
            subscription: its id.
            sequence: number of the message, from 1.
            request: handle of the request that is answered.
            acknowledged: how many messages the request acknowledged.
            at_s: seconds since 1970; items of one scan were read together up to then, scans a
                millisecond apart.
        """
        ticks = int(at_s * 10_000_000) + _EPOCH_TICKS
        self._items["value"] = self._images[sequence % _IMAGES]
        self._items["server"] = ticks
        self._items["source"] = ticks - self._scan
        items = self._items.tobytes()
        count = len(self._items).to_bytes(4, "little")
        change = _DATA_CHANGE + (8 + len(items)).to_bytes(4, "little") + count + items + bytes(4)
        results = acknowledged.to_bytes(4, "little") + bytes(4 * acknowledged)
        head = _RESPONSE + _HEAD.pack(ticks, request, 0, 0, -1, 0, 0)
        message = _SUBSCRIPTION.pack(subscription, 1, sequence, 0, sequence, ticks, 1)
        return head + message + change + results + (-1).to_bytes(4, "little", signed=True)
