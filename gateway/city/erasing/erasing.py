"""Erase an enterprise: begun, done and certified in steps that a killed process takes up again.

1. *begun*: in one transaction the erasure is written down, with what there is to erase, and its
   gateways are revoked. From here on nothing of them is taken.
2. *rows*: in one transaction the machines are withdrawn by an act upon the ledger, and everything
   in the database goes or is blanked.
3. The time-series store, until it holds nothing; then the rows once more, for what a running city
   had in its hands meanwhile, and what lies beside the database.
4. The certificate, in one transaction with its entry in the audit log.

Each step changes nothing when it is taken again.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from edge_config.models.city import CityConfig
from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Scope, ScopeKind, parse_scope
from gateway.city.access.users import end_sessions
from gateway.city.db.schema.access import city_user, erasure
from gateway.city.db.tables import gateway
from gateway.city.erasing import rows
from gateway.city.erasing.beside import erase_beside
from gateway.city.erasing.certificate import Certificate, digest, signed
from gateway.city.erasing.key import city_key
from gateway.city.erasing.ledger import withdraw_all
from gateway.city.erasing.standing import LOCK, unfinished
from gateway.city.erasing.telling import ErasureError, Found, chains, look, told
from gateway.city.registry import credentials, enrolment
from gateway.city.stores.api import Store
from gateway.relational.database import Database, alone

_ROUNDS = 20
"""So often the store is asked to delete what it holds; a running city writes for seconds more."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be erased, and why.

    Attributes:
        uscc: of the enterprise.
        reason: in words.
        document: by which it is ordered.
        made_by: user of the system.
    """

    uscc: str
    reason: str
    document: str
    made_by: str


@dataclass(frozen=True, slots=True)
class Erasing:
    """The steps of an erasure.

    Attributes:
        config: of the city.
        database: of the city.
        store: open.
        now_ms: the clock, UTC milliseconds.
        settle_s: how long a running city may still write what it has in its hands.
    """

    config: CityConfig
    database: Database
    store: Store
    now_ms: Callable[[], int]
    settle_s: float

    async def run(self, order: Order) -> dict[str, Any]:
        """Erase, or go on where another process was killed; returns the certificate.

        Raises:
            ErasureError: no such enterprise, something goes on writing, or an engine's copies of
                months cannot be taken away.
            KeyUnusableError: the city's key cannot be used; nothing is erased then.
            StoreError: the store does not answer; the next run goes on.
            OSError: the broker's password file cannot be changed.
        """
        key = city_key(self.config.data_dir)
        found = await look(self.database, self.store, order.uscc)
        begun = await self.database.run(_begin, order, found, self.now_ms())
        self._remove_accounts(json.loads(begun.before)["gateways"])
        if begun.stage == "begun":
            await self.database.run(_erase_rows, begun, self.now_ms())
        if begun.was_heard:
            since_s = (self.now_ms() - begun.begun_ms) / 1000
            await asyncio.sleep(min(max(self.settle_s - since_s, 0), self.settle_s))
        await self._erase_values(begun.uscc)
        await self.database.run(_erase_again, begun)
        await asyncio.to_thread(erase_beside, self.config, begun.uscc)
        after = await look(self.database, self.store, begun.uscc)
        certificate = await self.database.read(told, begun, after, self.config, self.now_ms())
        made = signed(certificate, key)
        await self.database.run(_certify, begun, made, self.now_ms())
        return made

    def _remove_accounts(self, gateways: Sequence[str]) -> None:
        file = self.config.broker.password_file
        if file is not None:
            for name in gateways:
                credentials.set_line(file, name, None)

    async def _erase_values(self, uscc: str) -> None:
        for _ in range(_ROUNDS):
            await self.store.erase(uscc)
            if not await self.store.held(uscc):
                return
            await asyncio.sleep(self.settle_s / _ROUNDS)
        raise ErasureError(
            f"the store still holds values of {uscc}: it deletes later than it is told to, or "
            "something goes on writing them; wait, or stop that, and run the command again, which "
            "goes on where this one ends"
        )


def _begin(connection: Connection, order: Order, found: Found, now_ms: int) -> Row[Any]:
    alone(connection, "ledger")  # first: an import has it for minutes, and ingest must go on
    alone(connection, LOCK)
    begun = unfinished(connection, order.uscc)
    if begun is None:
        _write_down(connection, order, found, now_ms)
        begun = unfinished(connection, order.uscc)
        assert begun is not None  # noqa: S101 - it was written above
    for name in _enrolled(connection, order.uscc):
        enrolment.revoke(connection, name, now_ms)
        note(connection, now_ms, order.made_by, Action.REVOKED, name, "erasure")
    return begun


def _write_down(connection: Connection, order: Order, found: Found, now_ms: int) -> None:
    """What there was before anything of it went."""
    before = {
        "name": found.name,
        "rows": dict(found.rows),
        "values": dict(found.values),
        "gateways": list(found.gateways),
        "users": list(found.users),
        "identifiers": found.identifiers,
        "chains": chains(connection, order.uscc),
    }
    row = {
        "uscc": order.uscc,
        "reason": order.reason,
        "document": order.document,
        "made_by": order.made_by[:100],
        "begun_ms": now_ms,
        "stage": "begun",
        "was_heard": bool(_enrolled(connection, order.uscc)),
        "before": json.dumps(before, ensure_ascii=False),
    }
    connection.execute(insert(erasure).values(row))
    subject, detail = order.uscc, f"{order.document}: {order.reason}"
    note(connection, now_ms, order.made_by, Action.ERASURE_BEGUN, subject, detail)


def _enrolled(connection: Connection, uscc: str) -> Sequence[str]:
    """Gateways of an enterprise that may send."""
    own = gateway.c
    query = select(own.id).where(own.uscc == uscc, own.revoked_ms.is_(None))
    return connection.scalars(query).all()


def _erase_rows(connection: Connection, begun: Row[Any], now_ms: int) -> None:
    alone(connection, "ledger")
    _secure(connection)
    withdraw_all(connection, begun, now_ms)
    _narrow_users(connection, begun.uscc, now_ms)
    users = json.loads(begun.before)["users"]
    known = city_user.c.name.in_(users), city_user.c.disabled_ms.is_(None)
    connection.execute(update(city_user).where(*known).values(disabled_ms=now_ms))
    rows.erase(connection, begun.uscc, users)
    connection.execute(update(erasure).where(erasure.c.id == begun.id).values(stage="rows"))


def _erase_again(connection: Connection, begun: Row[Any]) -> None:
    _secure(connection)
    rows.erase(connection, begun.uscc, json.loads(begun.before)["users"])


def _secure(connection: Connection) -> None:
    """Have SQLite overwrite what it deletes; PostgreSQL does so when it tidies up."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")


def _narrow_users(connection: Connection, uscc: str, now_ms: int) -> None:
    """Who sees other enterprises, too, sees those alone."""
    for name, text in connection.execute(select(city_user.c.name, city_user.c.scope)).all():
        scope = parse_scope(text)
        if scope.kind is ScopeKind.ENTERPRISES and uscc in scope.keys and len(scope.keys) > 1:
            left = Scope(scope.kind, scope.keys - {uscc})
            own = update(city_user).where(city_user.c.name == name)
            connection.execute(own.values(scope=str(left)))
            end_sessions(connection, name, now_ms)


def _certify(connection: Connection, begun: Row[Any], made: Certificate, now_ms: int) -> None:
    values = {"certificate": json.dumps(made, ensure_ascii=False), "stage": "finished"}
    own = update(erasure).where(erasure.c.id == begun.id)
    connection.execute(own.values(**values, finished_ms=now_ms))
    detail = f"certificate {begun.id} {digest(made)}"
    note(connection, now_ms, begun.made_by, Action.ERASED, begun.uscc, detail)
