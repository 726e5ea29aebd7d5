"""Who looked at which enterprise: one entry an hour, however often the page is asked."""

from collections import OrderedDict

from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Principal, ScopeKind
from gateway.relational.database import Database

_HOUR_MS = 3_600_000
_REMEMBERED = 10_000


class Viewing:
    """Writes down views of enterprises by others than those whose scope names them."""

    def __init__(self) -> None:
        self._noted = OrderedDict[tuple[str, str, int], None]()

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
        key = (who.name, uscc, now_ms // _HOUR_MS)
        if who.scope.kind is ScopeKind.ENTERPRISES or key in self._noted:
            return
        self._noted[key] = None
        await database.run(note, now_ms, who.name, Action.VIEWED, uscc, purpose)
        while len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
