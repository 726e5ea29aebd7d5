"""Who asks for what, in tests of what may be done at a node."""

from collections.abc import Sequence
from typing import Any

from gateway.identifier.irp.values import Value
from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.keeping.users import Role
from gateway.identifier.node.registration import Registration
from gateway.identifier.node.rights import accounts, allotting, registrations, templates
from gateway.identifier.node.rights.principal import NOBODY, Principal, Terms, Visit, principal_of
from gateway.identifier.registering.registry import Outcome
from gateway.relational.database import Database

TERMS = Terms("88.999")
NOW_MS = 1_795_000_000_000
ROOT = Principal("root", Role.ADMINISTRATOR)
CLERK = Principal("clerk", Role.REVIEWER)


class Node:
    """A node with two enterprises: QZ01 has its prefix, QZ02 has one too."""

    def __init__(self, database: Database, terms: Terms = TERMS) -> None:
        self.database, self.terms, self.now_ms = database, terms, NOW_MS
        for name in ("qz01", "qz02"):
            prefix = f"88.999.{name.upper()}"
            self.do(accounts.add, ROOT, name, Role.ENTERPRISE, f"enterprise {name}")
            self.do(allotting.apply, self.principal(name), prefix)
            self.do(allotting.decide, CLERK, prefix, State.ALLOTTED)
            self.do(templates.create, self.principal(name), template(prefix))

    def principal(self, name: str) -> Principal:
        """A user as it is now."""
        return self.database.run_now(principal_of, name)

    def do(self, function: Any, principal: Principal, *args: Any, **kwargs: Any) -> Any:
        """Do something as somebody."""
        visit = Visit(principal, self.terms, self.now_ms)
        return self.database.run_now(function, visit, *args, **kwargs)

    def create(self, name: str, *given: Registration) -> list[Outcome]:
        """Register as a user; what came of each."""
        done = self.do(registrations.create, self.principal(name), given)
        return [one.outcome for one in done]

    def read(self, name: str | None, handle: str) -> dict[int, str] | None:
        """What a user sees of an identifier; None: there is none."""
        who = self.principal(name) if name else NOBODY
        found = self.do(registrations.read, who, handle)
        return None if found is None else {one.index: one.data.decode() for one in found.values}


def template(prefix: str, seen: Sequence[str | None] = ("everybody", "member", None)) -> Any:
    """A template with an item for each way to be seen: 2000, 2001 …"""
    items = [
        {
            "idIndex": 2000 + at,
            "name": f"item {at}",
            "idType": f"t{at}",
            "required": at == 0,
            "state": 1,
            "metadata": {"type": "string", "minLength": 0, "maxLength": 9},
        }
        | ({} if who is None else {"visibility": who})
        for at, who in enumerate(seen)
    ]
    return {"prefix": prefix, "version": "1", "items": items}


def machine(suffix: str, *texts: str, prefix: str = "88.999.QZ01") -> Registration:
    """A registration by that template."""
    given = texts or ("a", "b", "c")
    values = (Value(2000 + at, f"t{at}", one.encode()) for at, one in enumerate(given))
    return Registration(f"{prefix}/{suffix}", "1", tuple(values))
