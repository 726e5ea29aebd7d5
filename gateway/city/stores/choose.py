"""Which store a configuration asks for; a store's library is imported only if it is used."""

from pathlib import Path

from edge_config.models import city
from gateway.city.stores.api import Store


def make_store(config: city.Store, data_dir: Path) -> Store:
    """The configured store, not yet opened.

    Args:
        config: ``store`` of the city's configuration.
        data_dir: the city's folder, for a store in a file.
    """
    match config:
        case city.EmbeddedStore():
            from gateway.city.stores.embedded import EmbeddedStore  # noqa: PLC0415 - each loads its library

            return EmbeddedStore(data_dir / config.path)
        case city.Influx1Store():
            from gateway.city.stores.influx1 import Influx1  # noqa: PLC0415 - as above

            return Influx1(config)
        case city.Influx2Store():
            from gateway.city.stores.influx2 import Influx2  # noqa: PLC0415 - as above

            return Influx2(config)
