"""Who looked at which enterprise, and which lists programs read: one entry an hour of each."""

from collections import OrderedDict

from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Principal, ScopeKind
from gateway.relational.database import Database

_HOUR_MS = 3_600_000
_REMEMBERED = 10_000


class Viewing:
    """Writes down views of enterprises by others than those whose scope names them, and lists."""

    def __init__(self) -> None:
        self._noted = OrderedDict[tuple[str, str, str, int], None]()

    async def note(
        self, database: Database, who: Principal, uscc: str, now_ms: int, purpose: str
    ) -> None:
        """Write down a view, unless this hour has it; a restart may write it once more.

        Args:
            database: of the city.
            who: looks; of those whose scope names enterprises nothing is kept.
            uscc: of the enterprise.
            now_ms: UTC milliseconds.
            purpose: as it was given; may be empty.
        """
        if who.scope.kind is not ScopeKind.ENTERPRISES:
            await self._once(database, who.name, (Action.VIEWED, uscc, purpose), now_ms)

    async def note_list(
        self, database: Database, who: str, address: str, query: str, now_ms: int
    ) -> None:
        """Write down that a program reads a list, unless this hour has it.

        Args:
            database: of the city.
            who: asks, and from where.
            address: of the list.
            query: what of it.
            now_ms: UTC milliseconds.
        """
        await self._once(database, who, (Action.EXPORTED, address, query), now_ms)

    async def _once(
        self, database: Database, who: str, what: tuple[Action, str, str], now_ms: int
    ) -> None:
        action, subject, detail = what
        # Pages of one list are one reading: what is read of it is not told apart.
        key = (who, action, subject, now_ms // _HOUR_MS)
        if key in self._noted:
            return
        self._noted[key] = None
        await database.run(note, now_ms, who, action, subject, detail)
        while len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
