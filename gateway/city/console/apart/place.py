"""Where what takes long is read and computed: in this process, or in one of its own."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

from gateway.city.rates.columns.kept import KeptLedger
from gateway.city.rates.columns.progress import Progress
from gateway.relational.database import Database

P = ParamSpec("P")
T = TypeVar("T")


class Apart(Protocol):
    """Runs functions of a connection that only read, each on one snapshot of the database.

    Function, arguments and answer may travel between processes: functions are known by their
    module and name, and an answer is a copy.

    Attributes:
        deaths: how many processes that computed have died.
    """

    deaths: int

    def given_up(self) -> list[str]:
        """Names of the functions that ended each process that ran them, and are not run for now.

        Whoever asks for one is told :class:`gateway.web.waiting.GivenUpError`.
        """
        ...

    async def read(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function that takes long; what it raises is raised here."""
        ...

    async def compute(
        self, function: Callable[..., T], *what: Any, progress: Progress, **how: Any
    ) -> T:
        """Run one that also takes ``ledgers``, which keeps a large ledger, and ``progress``.

        Not two at a time: they share the kept ledger.

        Args:
            function: of a connection.
            what: its arguments.
            progress: is told how far it is, perhaps in another thread.
            how: its arguments by name.
        """
        ...


class Here:
    """Runs them in threads of this process.

    Args:
        database: of the city.
    """

    def __init__(self, database: Database) -> None:
        self._database, self._ledgers = database, KeptLedger()
        self.deaths = 0

    def given_up(self) -> list[str]:
        """None: what ends this process ends all."""
        return []

    async def read(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """See :meth:`Apart.read`."""
        return await self._database.read(function, *args, **kwargs)

    async def compute(
        self, function: Callable[..., T], *what: Any, progress: Progress, **how: Any
    ) -> T:
        """See :meth:`Apart.compute`."""
        read, ledgers = self._database.read, self._ledgers
        return await read(function, *what, progress=progress, ledgers=ledgers, **how)
