"""What the pages of the city are given; there are no globals behind them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from edge_config.models.city import CityConfig
from gateway.city.access.viewing import Viewing
from gateway.city.alerts.faults import Faults
from gateway.city.console.apart.place import Apart
from gateway.city.console.live.present import Present
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.model import Definition
from gateway.city.stores.api import Store
from gateway.identifier.resolving.resolver import Resolver
from gateway.relational.database import Database


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """Everything a page may ask.

    Attributes:
        config: the city.
        database: ledger, evidence, gaps, books.
        live: what is known right now.
        store: telemetry.
        now_ms: the clock, UTC milliseconds.
        apart: reads and computes what takes long.
        definitions: rate definitions by id.
        resolver: knows codes of others; None: nobody is, or may be, asked.
        viewing: who looked at which enterprise.
        alert_faults: defects of alerting.
        first_wait_s: how long a page waits for what takes long and was never computed; None: as
            long as it may (:data:`gateway.city.console.remember.WAIT_S`).
        ahead: make what pages show first and what takes long in a large city; each page adds its
            own, and :func:`gateway.city.console.process.make_ahead` does it.
    """

    config: CityConfig
    database: Database
    live: Present
    store: Store
    now_ms: Callable[[], int]
    apart: Apart
    definitions: Mapping[str, Definition] = field(default_factory=builtin_definitions)
    resolver: Resolver | None = None
    viewing: Viewing = field(default_factory=Viewing)
    alert_faults: Faults = field(default_factory=Faults)
    first_wait_s: float | None = None
    ahead: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
