"""Decentralised identifiers (W3C DID core 1.0), BID among them. Pure."""

import re
from dataclasses import dataclass
from typing import ClassVar

from gateway.identifier.codes.code import CodeError, System

MAX_TEXT = 2048
_PART = r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})"
_FORM = re.compile(
    rf"did:(?P<method>[a-z0-9]+):(?P<specific>(?:{_PART}*:)*{_PART}+)"
    r"(?P<path>/[^?#\s]*)?(?:\?(?P<query>[^#\s]*))?(?:\#(?P<fragment>\S*))?",
    re.ASCII,
)
_BID = re.compile(
    r"(?:(?P<chain>[A-Za-z0-9]{4}):)?(?P<key>[zes])(?P<coding>[fst])(?P<hash>[A-Za-z0-9]{20,40})",
    re.ASCII,
)
_CHAIN = re.compile(r"[A-Za-z0-9]{4}", re.ASCII)
KEYS = {"z": "SM2", "e": "Ed25519", "s": "secp256k1"}
"""Kind of key by the first letter of a BID's suffix (BID specification 2.0)."""


@dataclass(frozen=True, slots=True)
class Did:
    """A DID, without the path, query and fragment that a DID URL adds to it.

    Attributes:
        method: as ``bid`` or ``web``.
        specific: what the method makes of it.
    """

    system: ClassVar = System.DID
    method: str
    specific: str

    @classmethod
    def parse(cls, text: str) -> "Did":
        """Read a DID or a DID URL; the scheme may be in capitals, as scanners send it.

        Raises:
            CodeError: something else, or a BID whose suffix cannot be one.
        """
        if len(text) > MAX_TEXT:
            raise CodeError(f"a DID of {len(text)} characters; {MAX_TEXT} are the most")
        whole = text[:4].lower() + text[4:]
        if whole.startswith("did:bid:"):
            whole = whole.removesuffix(":")  # a chain's own BID is written with one, too
        match = _FORM.fullmatch(whole)
        if match is None:
            raise CodeError(f"{text!r} is no DID: did:, a method in small letters, :, its own part")
        found = cls(match["method"], match["specific"])
        if found.method == "bid":
            found._demand_bid()
        return found

    def __str__(self) -> str:
        return f"did:{self.method}:{self.specific}"

    @property
    def key_kind(self) -> str:
        """Kind of a BID's key; empty for other methods and for a chain's own BID."""
        match = _BID.fullmatch(self.specific) if self.method == "bid" else None
        return KEYS[match["key"]] if match else ""

    def _demand_bid(self) -> None:
        if not _BID.fullmatch(self.specific) and not _CHAIN.fullmatch(self.specific):
            raise CodeError(
                f"{self.specific!r} is no suffix of a BID: z, e or s, then f, s or t, then 20 to 40"
                " letters and digits; before it a chain's 4 characters and a colon may stand"
            )
