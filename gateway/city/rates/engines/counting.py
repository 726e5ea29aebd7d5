"""Months counted by an engine that holds copies of them."""

# ruff: noqa: S608 - statements hold names of the layout and whole numbers

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import groupby

from sqlalchemy import Connection

from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.engines.compiling import Question
from gateway.city.rates.engines.copies import Copies, Copy
from gateway.city.rates.engines.engine import EngineError, FirmCount
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.twins import certain_twins
from gateway.core.days import day_of


class CopiedMonths:
    """Asks an engine; see :class:`gateway.city.rates.engines.engine.Engine`.

    A month is counted only from a complete copy that says what the city says on the snapshot
    that is asked about. Where there is none it is sent first.

    Args:
        copies: those that the engine holds.
        sends: False: what has no such copy is refused, and it is said what has changed.
    """

    def __init__(self, copies: Copies, *, sends: bool = True) -> None:
        self._copies, self._store, self._sends = copies, copies.store, sends

    def counted(
        self,
        connection: Connection,
        inquiries: Sequence[Inquiry],
        progress: Progress = unreported,
    ) -> Iterator[Mapping[str, FirmCount]]:
        """The machines of every enterprise of the ledger, by USCC, for each inquiry."""
        for _, some in groupby(inquiries, lambda one: (one.period, one.demonstration)):
            alike = list(some)
            copy = self._copy(connection, alike, progress)
            firms = self._firms(copy)
            for inquiry in alike:
                yield self._counted(connection, inquiry, copy, firms)

    def _copy(
        self, connection: Connection, inquiries: Sequence[Inquiry], progress: Progress
    ) -> Copy:
        if any(inquiry.known is not None for inquiry in inquiries):
            raise EngineError(
                f"{self._store.where} has no copy of the ledger as it was known earlier; compute "
                "that in the city's database, with 'rates: {engine: {type: relational}}'"
            )
        if self._sends:
            self._store.prepare()
        found, why = self._copies.find(connection, inquiries)
        if found is not None and why is None:
            return found
        if self._sends:
            return self._copies.send(connection, inquiries, progress)
        month = inquiries[0].period.month
        of = "" if found is None else f"its copy is of {found.at:%Y-%m-%d %H:%M:%S} UTC, and since "
        raise EngineError(
            f"{self._store.where} cannot count {month}: {of}{why}; "
            f"run: qulink rates engine send {month}"
        )

    def _firms(self, copy: Copy) -> Mapping[int, str]:
        rows = self._store.ask(f"SELECT firm, uscc FROM machine_firm WHERE copy = {copy.copy:d}")
        return {int(number): str(uscc).rstrip("\0") for number, uscc in rows}

    def _counted(
        self,
        connection: Connection,
        inquiry: Inquiry,
        copy: Copy,
        firms: Mapping[int, str],
    ) -> Mapping[str, FirmCount]:
        answering = self._answering(connection, inquiry)
        question = Question(inquiry.definition, inquiry.window, copy.copy, answering)
        question = replace(question, same_unit=self._same_unit(connection, inquiry, question))
        rows = [tuple(map(int, row)) for row in self._store.ask(question.firms())]
        found = {firms[number]: FirmCount._make(counts) for number, *counts in rows}
        if sum(one.machines for one in found.values()) != copy.machines:
            raise EngineError(
                f"{self._store.where} has lost rows of its copy of {inquiry.period.month}; "
                f"run: qulink rates engine send {inquiry.period.month}"
            )
        if inquiry.uscc is None:
            return found
        return {uscc: one for uscc, one in found.items() if uscc == inquiry.uscc}

    def _same_unit(
        self, connection: Connection, inquiry: Inquiry, question: Question
    ) -> AbstractSet[int]:
        """Machines whose unit counts for another one; as :mod:`gateway.city.rates.twins`."""
        twins = certain_twins(connection, inquiry)
        firsts = {first for those in twins.values() for first in those}
        if not firsts:
            return set()
        counting = {int(row[0]) for row in self._store.ask(question.meeting(firsts))}
        return {later for later, known in twins.items() if counting & known.keys()}

    @staticmethod
    def _answering(connection: Connection, inquiry: Inquiry) -> AbstractSet[int]:
        if inquiry.definition.measure != "answering":
            return set()
        names = map(MachineName._make, inquiry.answering)
        return set(find(connection, names, day_of(inquiry.now_ms)).values())
