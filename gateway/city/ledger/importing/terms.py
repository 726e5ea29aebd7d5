"""Under which an import is made: whose rows, and the ledger that was seen by who agreed to it."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from gateway.city.access.principal import EVERYTHING, Scope
from gateway.city.ledger.importing.held import Held
from gateway.city.ledger.sheet.parsing import Record, Tables
from gateway.city.ledger.sheet.problems import Problem
from gateway.city.ledger.sheet.progress import Tell, silent


class OutdatedError(Exception):
    """Somebody else has changed what a person saw before they agreed to change it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an import is bound to.

    Attributes:
        scope: whose rows it may touch.
        seen: :func:`digest` of what was held when its preview was shown; empty: nobody saw one.
        tell: is told how far it is.
    """

    scope: Scope = EVERYTHING
    seen: str = ""
    tell: Tell = silent

    def foreign(self, tables: Tables, held: Held) -> Iterator[Problem]:
        """Rows of enterprises that are not the importer's, before or after the import."""
        if self.scope.is_whole:
            return
        own = {uscc for (uscc,), row in held.enterprises.items() if self._covers(uscc, row)}
        for record in tables.enterprise:
            uscc = str(record.values["uscc"])
            is_new = (uscc,) not in held.enterprises
            row = {**held.enterprises.get((uscc,), {}), **record.values}
            if self._covers(uscc, row) and (is_new or uscc in own):
                own.add(uscc)
            else:
                own.discard(uscc)
                yield not_yours(record)
        yield from (not_yours(one) for one in tables.equipment if one.values["uscc"] not in own)

    def _covers(self, uscc: str, row: Mapping[str, Any]) -> bool:
        return self.scope.covers(
            uscc, str(row.get("county") or ""), str(row.get("functional_area") or "")
        )

    def demand_seen(self, held: Held, day: date) -> None:
        """Refuse when the ledger holds another thing of these rows than was seen.

        Raises:
            OutdatedError: it does; nothing was changed.
        """
        if self.seen and self.seen != digest(held, day):
            raise OutdatedError


def not_yours(record: Record) -> Problem:
    """That a row is of an enterprise that is not the importer's."""
    return record.problem("uscc", "is an enterprise outside of what you may change; take it out")


FREELY = Terms()


def digest(held: Held, day: date) -> str:
    """What an import found, so that it can be told whether it would find the same.

    Of machines that stand in no ledger nothing counts: an import that was killed may have given
    them ids. A preview holds for its day, since changes without a day are of the day of import.
    """
    found = hashlib.sha256(day.isoformat().encode())
    machines, known = held.machines, held.known
    found.update(repr(sorted(held.enterprises.items())).encode())
    found.update(repr(sorted(held.verified)).encode())
    rosters = {key: sorted(of, key=lambda one: one.start) for key, of in known.rosters.items()}
    found.update(repr([sorted(rosters.items()), sorted(known.former.items())]).encode())
    found.update(repr(sorted(known.identifier_codes.items())).encode())
    found.update(repr(_over_time(held.steps)).encode())
    for key, row in sorted(machines.rows.items()):
        number = key[0]
        dated = sorted(machines.statuses.get(number, {}).items())
        steps = sorted(machines.steps.get(number, {}).items())
        found.update(repr((row, dated, steps)).encode())
    return found.hexdigest()


def _over_time(steps: Mapping[str, Mapping[date, Any]]) -> list[Any]:
    return [(key, sorted(of.items())) for key, of in sorted(steps.items())]
