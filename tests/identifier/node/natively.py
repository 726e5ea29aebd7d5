"""A node that answers natively on loopback, in tests."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from gateway.identifier.irp.data import USUAL_RIGHTS, Admin
from gateway.identifier.irp.values import Reference
from gateway.identifier.native.administering import Administrator
from gateway.identifier.native.keys import Key, SecretKey
from gateway.identifier.node.keeping.counts import Tally
from gateway.identifier.node.keeping.lookup import Lookup
from gateway.identifier.node.keeping.secrets import Seal
from gateway.identifier.node.keeping.users import AdminKey
from gateway.identifier.node.native.administering import Administration
from gateway.identifier.node.native.referring import Directory, site_of
from gateway.identifier.node.native.serving import NativeNode
from gateway.identifier.node.rights import accounts
from gateway.identifier.node.visitors import limit
from gateway.identifier.registering.native.registry import Habits, NativeRegistry
from tests.identifier.irp.servers import serving
from tests.identifier.node.acting import Node

PLACE = Reference("88.999.QZ01/ADMIN", 300)
SECRET = b"a secret of sufficient length"
KEY = SecretKey(PLACE, SECRET)
TIMEOUT_S = 30.0


@dataclass
class Served:
    """A node that answers; its clock of pauses can be moved."""

    port: int
    native: NativeNode | None
    tally: Tally
    clock: list[float]

    @asynccontextmanager
    async def registry(
        self, key: Key = KEY, timeout_s: float = TIMEOUT_S, *, deletes: bool = True
    ) -> AsyncIterator[NativeRegistry]:
        """A client of it."""
        admin = Admin(int(USUAL_RIGHTS), key.name.handle, key.name.index)
        server = Administrator(("127.0.0.1", self.port), key, timeout_s)
        registry = NativeRegistry(
            "node", server, Habits(key.name, admin, deletes=deletes, lists=True)
        )
        try:
            yield registry
        finally:
            await registry.close()


def with_key(node: Node, tmp_path: Path, key: AdminKey | None = None) -> Seal:
    """Give the first enterprise of a node a key; returns what seals it."""
    seal = Seal(tmp_path)
    given = key or AdminKey("qz01", "HS_SECKEY", SECRET)
    place = PLACE.handle, PLACE.index
    done = node.do(accounts.set_key, node.principal("qz01"), seal, place, given)
    assert done.outcome == "ok", done
    return seal


@asynccontextmanager
async def served(
    node: Node, seal: Seal | None, per_minute: int = 1_000_000
) -> AsyncIterator[Served]:
    """Answer natively for a node; without a seal it only reads."""
    clock, tally = [0.0], Tally()
    administration = None
    if seal is not None:
        administration = Administration(
            node.database, seal, node.terms, lambda: int(time.time() * 1000), lambda: clock[0]
        )
    with closing(Lookup(node.database)) as lookup:
        site = site_of("88.999", ("127.0.0.1", 1))
        native = NativeNode(
            node.database,
            lookup,
            Directory("88.999", site),
            administration,
            tally,
            lambda: int(time.time() * 1000),
            limit(per_minute, lambda: clock[0]),
        )
        await native.refresh()
        async with serving(native.answer) as port:
            yield Served(port, native, tally, clock)
