"""The seam: who counts machines. What a figure is made of from there on is the same for all."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import Connection

from gateway.city.rates.columns.progress import Progress
from gateway.city.rates.inquiry import Inquiry


class FirmCount(NamedTuple):
    """Machines of an enterprise, and days of those that count or are excused, were it in scope.

    Attributes:
        networked: K.
        undetermined: of N, those that only a missing date keeps out of K.
        asked_for: N.
        machines: all.
        excused: those that only excused days keep out of N.
        days: in service, those on neither side among them.
        rest: of these, days of rest.
        stopped: days of planned stops.
        late: days of which that was said when they were over.
    """

    networked: int
    undetermined: int
    asked_for: int
    machines: int
    excused: int
    days: int
    rest: int
    stopped: int
    late: int


class Engine(Protocol):
    """Counts machines by enterprise, in whole numbers; enterprises and statistics are not its."""

    def counted(
        self, connection: Connection, inquiries: Sequence[Inquiry], progress: Progress
    ) -> Iterable[Mapping[str, FirmCount]]:
        """The machines of every enterprise of the ledger, by USCC, for each inquiry.

        Args:
            connection: the city's database, on one snapshot.
            inquiries: all with the same evidence; none counts enterprises.
            progress: is told how far it is.

        Raises:
            EngineError: it cannot be asked; says what to do.
            NotSayableError: it cannot be asked for a record.
        """


class EngineError(Exception):
    """An engine cannot be asked; says what to do."""


class NotSayableError(EngineError):
    """A record asks for something that no engine can be asked for."""
