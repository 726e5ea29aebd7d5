"""Open the node's database: made, migrated, or taken over from the node of before."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import MetaData
from sqlalchemy.exc import SQLAlchemyError

from edge_config.models.base import Secret
from gateway.identifier.node.keeping import templates
from gateway.identifier.visibility import Seen
from gateway.relational import versions
from gateway.relational.database import Database, DatabaseUnusableError, connect, words
from gateway.relational.versions import Versions


def _tables() -> MetaData:
    from gateway.identifier.node.keeping.tables import metadata  # noqa: PLC0415 - to migrate only

    return metadata


NODE = Versions("node", Path(__file__).parent / "migrations", _tables)


def open_database(
    url: str, data_dir: Path, visibility: Mapping[str, Seen], password: Secret | None = None
) -> Database:
    """Connect to a node's database and bring it to the newest version.

    Args:
        url: ``sqlite:///file``, relative to ``data_dir``, or ``postgresql://…``.
        data_dir: the node's folder; created if missing.
        visibility: of items whose template does not say who sees them, by ``idType``.
        password: replaces one in the URL.

    Raises:
        DatabaseUnusableError: as :func:`gateway.relational.versions.upgrade` says, or its folder
            cannot be used.
        SecretUnavailableError: its password cannot be read.
    """
    try:
        database = connect(url, data_dir, password)
    except OSError as error:
        raise DatabaseUnusableError(f"cannot use the folder {data_dir}: {error}") from error
    try:
        versions.upgrade(database, NODE)
        database.run_now(templates.refresh, visibility)
    except SQLAlchemyError as error:
        database.close()
        raise DatabaseUnusableError(f"{NODE.told_of(database)}: {words(error)}") from error
    except (ValueError, TypeError, LookupError) as error:  # what is taken over is no identifier
        database.close()
        raise DatabaseUnusableError(
            f"{NODE.told_of(database)} holds what no node has written ({error!r}); restore a copy"
        ) from error
    except DatabaseUnusableError:
        database.close()
        raise
    return database
