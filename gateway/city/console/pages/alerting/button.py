"""The button by which something is put on the own watch-list, for the pages that show it."""

from dataclasses import dataclass

from sqlalchemy import Connection, select
from starlette.requests import Request

from gateway.city.access.principal import Permission
from gateway.city.alerts.model import Level
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.db.schema.alerting.alerts import watched


@dataclass(frozen=True, slots=True)
class Watchable:
    """What a page shows, for its button.

    Attributes:
        level: what it is.
        key: its key, as of :class:`~gateway.city.alerts.model.Subject`.
        is_watched: whether who asks watches it.
    """

    level: Level
    key: str
    is_watched: bool


async def watchable(
    context: ConsoleContext, request: Request, level: Level, key: str
) -> Watchable | None:
    """What the button of a page needs; None: who asks keeps no list."""
    asking = principal_of(request)
    if not asking.may(Permission.WATCH):
        return None
    if level is Level.CITY and not asking.scope.is_whole:
        return None
    is_watched = await context.database.read(_is_on_list, asking.name, level, key)
    return Watchable(level, key, is_watched)


def _is_on_list(connection: Connection, owner: str, level: Level, key: str) -> bool:
    columns = watched.c
    own = (columns.owner == owner, columns.level == level.value, columns.subject == key)
    return connection.scalar(select(columns.since_ms).where(*own)) is not None
