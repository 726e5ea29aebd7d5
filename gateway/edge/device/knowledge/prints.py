"""Digests of what is configured: two that are equal mean the same, and nothing is read from them.

What an edge learnt of a device belongs to one configuration; what its schemas say of the unit
that they read lets the city see that two asset numbers are one machine.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from edge_config.models.gateway import Identity
from edge_config.models.ledger_number import key_of
from edge_config.models.plain import is_loopback_host
from gateway.core.schema import READ_BYTES, UNIT_BYTES
from gateway.drivers.spec import DriverSpec


def _digest(configured: object, size: int) -> bytes:
    return blake2b(repr(configured).encode(), digest_size=size).digest()


def fingerprint(*configured: object) -> str:
    """Says whether two configurations are the same; nothing can be read from it."""
    return _digest(configured, 16).hex()


def unit_of(identity: Identity, spec: DriverSpec, connection: Any) -> bytes:
    """Digest of the physical unit behind a connection, for ``Schema.unit``.

    An address of a plant's network means one unit within its site only, and one of the box itself
    within the gateway only.
    """
    host = spec.endpoint(connection).rpartition(":")[0].strip("[]")
    box = identity.id if is_loopback_host(host) else ""
    site = identity.enterprise_uscc, key_of(identity.site_no), box
    return _digest((*site, spec.name, spec.unit(connection)), UNIT_BYTES)


def reads_of(addresses: Iterable[object]) -> bytes:
    """Digests of addresses within their unit, for ``Schema.reads``."""
    return b"".join(_digest(address, READ_BYTES) for address in addresses)
