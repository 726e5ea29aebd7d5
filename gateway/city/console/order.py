"""What the city hands to its console when it starts it, and what the console says back.

The city writes an :class:`Order` to the console's standard input and keeps it open; its end is the
sign to stop, however the city ends. The console writes one line to its standard output: it serves,
or why it never can. Both are the same program, so objects travel as Python pickles them.
"""

import pickle
from dataclasses import dataclass
from typing import IO

import msgspec

from edge_config.models.city import CityConfig

UNUSABLE = 2
"""Exit code of a console that its configuration keeps from starting."""


@dataclass(frozen=True, slots=True)
class Order:
    """How to start.

    Attributes:
        config: the city's configuration; secrets are references in it, as in the file.
        listener: file descriptor of the listening socket. The city keeps it open, so that
            visitors wait while a console is started again instead of being turned away.
    """

    config: CityConfig
    listener: int


class Answer(msgspec.Struct, frozen=True):
    """What became of it; ``fault`` is empty if the console serves."""

    fault: str = ""


def write_order(order: Order) -> bytes:
    """An order as bytes."""
    return pickle.dumps(order)


def read_order(stream: IO[bytes]) -> Order:
    """Read an order.

    Raises:
        EOFError: the city ended before it gave one.
    """
    order = pickle.load(stream)  # noqa: S301 - from the process that started this one
    assert isinstance(order, Order)  # noqa: S101 - both are of one version
    return order
