"""What a node hands to a process that answers for it, by its standard input.

The end of that is the sign to stop, however the node ends. Both are the same program, so objects
travel as Python pickles them.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edge_config.models.base import Secret
from gateway.identifier.node.native.referring import Directory


@dataclass(frozen=True, slots=True)
class Order:
    """What to answer from, and where.

    Attributes:
        url: of the node's database, at its newest version.
        data_dir: of the node.
        password: of the database, by reference.
        directory: prefix and HS_SITE of the node.
        per_minute: requests of one visitor, which each process counts for itself.
        listener: file descriptor of a listening TCP socket, which the node keeps open, too.
        datagrams: likewise of UDP.
    """

    url: str
    data_dir: Path
    password: Secret | None
    directory: Directory
    per_minute: int
    listener: int = -1
    datagrams: int = -1


def write_order(order: Order) -> bytes:
    """An order as octets."""
    return pickle.dumps(order)


def read_order(stream: IO[bytes]) -> Order:
    """Read an order.

    Raises:
        EOFError: the node ended before it gave one.
    """
    order = pickle.load(stream)  # noqa: S301 - from the process that started this one
    assert isinstance(order, Order)  # noqa: S101 - both are of one version
    return order
