"""Where identifiers of a prefix are answered for: here, or at the node it is delegated to. Pure.

A prefix is asked for by its name alone (``88.999.001``, as recursive nodes of this country do) or
as ``0.NA/88.999.001`` (as the rest of the world does); the answer is its HS_SITE.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.identifier.irp.bodies import Held, Question, Referral
from gateway.identifier.irp.data import (
    ADMINISTER,
    ASK,
    BOTH,
    TCP,
    UDP,
    Interface,
    Server,
    Site,
    write_site,
)
from gateway.identifier.irp.values import Value
from gateway.identifier.node import rules

SITE = "HS_SITE"
_ABOVE = "0.NA/"


@dataclass(frozen=True, slots=True)
class Directory:
    """Prefixes of a node.

    Attributes:
        own: of the node, as ``88.999``.
        site: HS_SITE of the node.
        allotted: prefixes in upper case, with the HS_SITE of the node that each is delegated to;
            None: it is answered here; empty: it is suspended, and nobody is referred to it.
    """

    own: str
    site: bytes = field(repr=False)
    allotted: Mapping[str, bytes | None] = field(default_factory=dict)

    def is_own(self, prefix: str) -> bool:
        """Whether a prefix is the node's, or below it; case does not matter."""
        return f"{prefix.upper()}.".startswith(f"{self.own.upper()}.")

    def nearest(self, prefix: str) -> str | None:
        """The allotted prefix that this one is, or stands below."""
        return rules.nearest(prefix, self.allotted)

    def is_closed(self, prefix: str) -> bool:
        """Whether another node answers for a prefix to which nobody is referred for now."""
        nearest = self.nearest(prefix)
        return nearest is not None and self.allotted[nearest] == b""

    def referred(self, prefix: str) -> Referral | None:
        """Who knows better about a prefix; None: this node answers itself."""
        nearest = self.nearest(prefix)
        site = self.allotted[nearest] if nearest is not None else None
        return None if not site else Referral("", (Value(1, SITE, site),))

    def answered(self, asked: Question, prefix: str) -> Held | None:
        """What is held of a prefix that is asked for itself; None: it is nobody's."""
        nearest = self.nearest(prefix)
        if nearest is None and prefix.upper() != self.own.upper():
            return None
        value = Value(1, SITE, (self.allotted[nearest] if nearest else None) or self.site)
        return Held(asked.handle, (value,) if asked.wants(value) else ())


def prefix_asked(handle: str) -> str | None:
    """The prefix that a handle stands for; None: it stands for a thing."""
    if handle[: len(_ABOVE)].upper() == _ABOVE:
        return handle[len(_ABOVE) :]
    return None if "/" in handle else handle


def site_of(
    prefix: str, address: tuple[str, int], changes_at: tuple[str, int] | None = None
) -> bytes:
    """HS_SITE of a node.

    Args:
        prefix: of the node.
        address: IP address and port at which it is asked, by TCP and UDP.
        changes_at: likewise, where changes are taken; of the same host. None: nowhere.
    """
    host, port = address
    if changes_at is None:
        ways = _ways(ASK, port)
    elif changes_at == address:
        ways = _ways(BOTH, port)
    else:
        ways = (*_ways(ASK, port), *_ways(ADMINISTER, changes_at[1]))
    named = (("desc", f"qulink {prefix}"),)
    site = Site((Server(1, host, ways),), attributes=named, is_primary=changes_at is not None)
    return write_site(site)


def _ways(use: int, port: int) -> tuple[Interface, ...]:
    return tuple(Interface(use, protocol, port) for protocol in (TCP, UDP))
