"""What a city holds of an enterprise beside its database and its store of values."""

from contextlib import closing

from edge_config.models.city import CityConfig
from gateway.city.erasing.telling import ErasureError
from gateway.city.ledger.uploading.kept import Uploads
from gateway.city.rates.engines.copies import Copies
from gateway.city.rates.engines.engine import EngineError
from gateway.city.rates.engines.opening import open_store
from gateway.city.rates.reports.kept import KEPT_FILE


def erase_beside(config: CityConfig, uscc: str) -> None:
    """Throw away files that hold its name or its rows, and copies of months that an engine holds.

    Whose rows are in a file that waits nobody has looked at; who sent it sends it again. Copies are
    of a ledger that has changed by the erasure, so no month is counted by them any more. Figures
    that are kept for the next start name enterprises; they are computed anew.

    Args:
        config: of the city.
        uscc: of the enterprise.

    Raises:
        ErasureError: the engine is away, or holds one of the copies still.
    """
    uploads = Uploads(config.data_dir)
    for key in list(uploads.keys()):
        uploads.drop(key)
    (config.data_dir / KEPT_FILE).unlink(missing_ok=True)
    try:
        store = open_store(config)
        if store is not None:
            with closing(store):
                Copies(store, config.city.region).forget(uscc)
    except EngineError as error:
        raise ErasureError(
            f"copies of months with {uscc} are not taken away: {error}. Run the command again, "
            "which goes on where this one ends"
        ) from error
