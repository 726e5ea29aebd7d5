"""OIDs by the object identifier resolution system (ITU-T X.672): NAPTR records of the DNS."""

import re
import time
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver

from gateway.identifier.codes.code import Code
from gateway.identifier.codes.oid import Oid
from gateway.identifier.resolving.answer import Answer, Hop, Item, Outcome

_MAX_RECORDS = 64


class OrsSource:
    """Name servers that are asked for NAPTR records.

    Args:
        name: as answers name it.
        root: domain below which OIDs stand.
        timeout_s: for an answer.
        servers: IP addresses; empty: the system's.
        port: of these.
    """

    def __init__(
        self,
        name: str,
        root: str,
        timeout_s: float,
        servers: tuple[str, ...] = (),
        port: int = 53,
    ) -> None:
        self.name = name
        self._root = root
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=not servers)
        except dns.resolver.NoResolverConfiguration:  # said of each code that is asked for
            self._resolver = dns.asyncresolver.Resolver(configure=False)
        if servers:
            self._resolver.nameservers = list(servers)
            self._resolver.port = port
        self._resolver.lifetime = timeout_s

    def takes(self, code: Code) -> bool:
        """See ``Source``."""
        return isinstance(code, Oid)

    async def ask(self, code: Code) -> Answer:
        """What is registered of an OID: a service and where it is, in their order."""
        asked = code.ors_name(self._root) if isinstance(code, Oid) else str(code)
        began_s = time.monotonic()
        items: tuple[Item, ...] = ()
        ttl_s = 0
        try:
            found = await self._resolver.resolve(asked, "NAPTR")
            items = tuple(_items(found.rrset))
            ttl_s = found.rrset.ttl if found.rrset is not None else 0
            outcome, why = Outcome.FOUND, ""
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            outcome, why = Outcome.NOT_FOUND, f"nothing is registered under {asked}"
        except dns.exception.Timeout:
            outcome, why = Outcome.UNREACHABLE, f"no answer in {self._resolver.lifetime:g} s"
        except (dns.exception.DNSException, OSError) as error:
            outcome, why = Outcome.UNREACHABLE, f"{type(error).__name__}: {error}"
        took_s = time.monotonic() - began_s
        hop = Hop(self.name, self._root, asked, why or outcome, took_s)
        return Answer(str(code), outcome, items, self.name, why, ttl_s, (hop,))

    async def close(self) -> None:
        """Nothing is kept."""


def _items(records: Any) -> list[Item]:
    """Records by order and preference (RFC 3403, 4.1), each with what its rule makes of a name."""
    ordered = sorted(records or (), key=lambda one: (one.order, one.preference))
    return [Item(one.service.decode(), _applied(one)) for one in ordered[:_MAX_RECORDS]]


def _applied(record: Any) -> str:
    """The rule of a record, ``!pattern!replacement!``; else the name that it leads to.

    Only rules for the whole name are carried out: no pattern of a stranger is run.
    """
    rule = record.regexp.decode(errors="replace")
    if not rule:
        return str(record.replacement)
    _, pattern, replacement, *_ = [*re.split(re.escape(rule[0]), rule), "", ""]
    return replacement if pattern in ("^.*$", ".*") and "\\" not in replacement else rule
