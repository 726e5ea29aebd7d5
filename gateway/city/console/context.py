"""What the pages of the city are given; there are no globals behind them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from edge_config.models.city import CityConfig
from gateway.city.db.database import Database
from gateway.city.live.view import Live
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.model import Definition
from gateway.city.stores.api import Store


@dataclass(frozen=True, slots=True)
class ConsoleContext:
    """Everything a page may ask.

    Attributes:
        config: the city.
        database: ledger, evidence, gaps, books.
        live: what is known right now.
        store: telemetry.
        registry: metrics of this process.
        now_ms: the clock, UTC milliseconds.
        definitions: rate definitions by id.
        health: state of further parts for ``/healthz``, ``ok`` or what is wrong.
    """

    config: CityConfig
    database: Database
    live: Live
    store: Store
    registry: CollectorRegistry
    now_ms: Callable[[], int]
    definitions: Mapping[str, Definition] = field(default_factory=builtin_definitions)
    health: Callable[[], Mapping[str, str]] = dict
