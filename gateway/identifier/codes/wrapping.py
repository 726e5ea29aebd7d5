"""Handles within URLs: those of resolvers, and whatever a label's QR code wraps them in. Pure."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

_RESOLVERS = frozenset({"hdl.handle.net", "doi.org", "dx.doi.org", "www.doi.org"})
_NATIONAL = re.compile(r"(?<![0-9A-Za-z.])8[68]\.\d{1,4}(?:\.[0-9A-Za-z]{1,20})+/.+", re.ASCII)
MAX_URL = 2048
MAX_FIELDS = 20
"""Parameters of a URL that are looked at; one with more is none of a label."""


def resolver_handle(url: str) -> str:
    """The handle in the address of a public resolver; empty if it is none."""
    try:
        parts = urlsplit(url)
        if (parts.hostname or "") not in _RESOLVERS:
            return ""
    except ValueError:
        return ""
    return unquote(parts.path.removeprefix("/").removeprefix("api/handles/"))


def wrapped_codes(url: str) -> Iterator[str]:
    """What may be a code within a URL: its parameters, its fragment, a handle in its path."""
    if len(url) > MAX_URL:
        return
    try:
        parts = urlsplit(url)
        values = [value for _, value in parse_qsl(parts.query, max_num_fields=MAX_FIELDS)]
    except ValueError:
        return
    yield from values
    for text in (unquote(parts.path), unquote(parts.fragment)):
        if (match := _NATIONAL.search(text)) is not None:
            yield match[0]
