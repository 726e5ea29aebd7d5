"""What the faces of a node work with."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.identifier.node.keeping.counts import Tally
from gateway.identifier.node.keeping.secrets import Seal
from gateway.identifier.node.rights.principal import Terms
from gateway.relational.database import Database


@dataclass(frozen=True)
class Parts:
    """What the faces of a node work with.

    Attributes:
        database: of the node.
        terms: of the node.
        seal: of its secrets.
        now_ms: the clock, UTC milliseconds.
        clock_s: one that only runs, seconds.
        tally: what is done is counted there.
    """

    database: Database
    terms: Terms
    seal: Seal
    now_ms: Callable[[], int]
    clock_s: Callable[[], float] = time.monotonic
    tally: Tally = field(default_factory=Tally)
