"""Which schemas of a gateway speak for its devices now. Pure.

A device that is configured anew sends a further schema, and the city keeps the former one for the
values that follow it. A machine that only a former one names does not answer any more.
"""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

Key = tuple[str, str]
"""Gateway and id of a schema, as the database holds them."""


class Use(NamedTuple):
    """When a schema was used: last day with values, and when it came, UTC milliseconds."""

    used_on: date
    received_ms: int


def in_use(schemas: Iterable[tuple[Key, tuple[str, str], Use]]) -> set[Key]:
    """The newest schema of each group of each device.

    Args:
        schemas: key, device and group, and use of each schema.
    """
    newest: dict[tuple[str, str, str], tuple[Use, Key]] = {}
    for key, (device, group), use in schemas:
        place = (key[0], device, group)
        newest[place] = max(newest.get(place, (use, key)), (use, key))
    return {key for _, key in newest.values()}
