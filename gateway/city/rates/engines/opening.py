"""The engine that a city's configuration names."""

from collections.abc import Iterator
from contextlib import contextmanager

from edge_config.models.city import CityConfig
from edge_config.models.counting import ClickHouseEngine, DuckDbEngine
from gateway.city.rates.engines.clickhouse import ClickHouse
from gateway.city.rates.engines.copies import Copies
from gateway.city.rates.engines.counting import CopiedMonths
from gateway.city.rates.engines.engine import Engine, EngineError
from gateway.city.rates.engines.store import Store


def open_store(config: CityConfig) -> Store | None:
    """The engine that holds copies; None: the city counts by itself.

    Raises:
        EngineError: it cannot be opened.
    """
    engine = config.rates.engine
    if isinstance(engine, ClickHouseEngine):
        return ClickHouse(engine)
    if not isinstance(engine, DuckDbEngine):
        return None
    try:
        from gateway.city.rates.engines.duck import Duck  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as missing:
        raise EngineError(
            "DuckDB is not installed; install it beside the city: pip install 'qulink[duckdb]'"
        ) from missing
    return Duck(config.data_dir / engine.path)


@contextmanager
def opened_engine(config: CityConfig) -> Iterator[Engine | None]:
    """Who counts machines, for a while; None: the city by itself.

    Raises:
        EngineError: the engine cannot be opened.
    """
    store = open_store(config)
    try:
        yield None if store is None else CopiedMonths(Copies(store, config.city.region))
    finally:
        if store is not None:
            store.close()
