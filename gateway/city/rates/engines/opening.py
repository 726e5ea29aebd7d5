"""The engine that a city's configuration names."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing

from sqlalchemy import Connection

from edge_config.models.city import CityConfig
from edge_config.models.counting import ClickHouseEngine, DuckDbEngine, RelationalEngine
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.engines.clickhouse import ClickHouse
from gateway.city.rates.engines.copies import Copies
from gateway.city.rates.engines.counting import CopiedMonths
from gateway.city.rates.engines.engine import Engine, EngineError, FirmCount
from gateway.city.rates.engines.store import Store
from gateway.city.rates.inquiry import Inquiry


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


class ConfiguredEngine:
    """The engine of a city, opened for each question; see ``engine.py``.

    A DuckDB file that is held open would keep commands beside the city from it.

    Args:
        config: of the city.
    """

    def __init__(self, config: CityConfig) -> None:
        self._config = config

    def counted(
        self, connection: Connection, inquiries: Sequence[Inquiry], progress: Progress = unreported
    ) -> Iterable[Mapping[str, FirmCount]]:
        """The machines of every enterprise of the ledger, by USCC, for each inquiry."""
        store = open_store(self._config)
        if store is None:
            raise EngineError("rates.engine is relational: no other engine can be asked")
        with closing(store):
            copies = Copies(store, self._config.city.region)
            return list(CopiedMonths(copies).counted(connection, inquiries, progress))


def engine_of(config: CityConfig) -> Engine | None:
    """Who counts the machines of a city; None: its own process."""
    own = isinstance(config.rates.engine, RelationalEngine)
    return None if own else ConfiguredEngine(config)
