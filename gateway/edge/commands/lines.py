"""One line of the record of commands, and how it is chained to the one before. Pure."""

from hashlib import sha256
from typing import Literal, NamedTuple

import msgspec

_Shown = int | float | bool | str | None

Event = Literal["write", "result", "refused"]
"""``write``: about to be written; ``result``: what became of it; ``refused``: nothing was done."""

BEGIN = "0" * 64
"""In place of the hash before the first line."""
_SEAL = b',"hash":"'
_END = b'"}\n'
_BRIEF = 200
"""Characters of a value that was not written."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line.

    Attributes:
        number: of the line, from 1.
        at_ms: UTC milliseconds by the gateway's time.
        event: what happened.
        id: of the command.
        who: person or program.
        origin: where it came from: ``console``, ``command line`` or a northbound's name.
        device: device id.
        tag: name of the tag.
        value: what it is to show.
        raw: what the driver was given.
        before: what it showed before.
        state: of a result, ``gateway.wire.commands.CommandState``.
        words: of a result or a refusal: why.
        shows: of a result: what it showed when it was read back.
    """

    number: int
    at_ms: int
    event: Event
    id: str
    who: str = ""
    origin: str = ""
    device: str = ""
    tag: str = ""
    value: _Shown = None
    raw: _Shown = None
    before: _Shown = None
    state: str = ""
    words: str = ""
    shows: _Shown = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Entry).decode


class Line(NamedTuple):
    """A line that was read, and its hash."""

    entry: Entry
    hash: str


def brief(value: _Shown) -> _Shown:
    """A value whose text is cut if it is long; a second time changes nothing."""
    text = str(value)
    return value if len(text) <= _BRIEF else text[:_BRIEF] + "…"


def sealed(entry: Entry, before: str) -> tuple[bytes, str]:
    """A line that follows the one with the hash ``before``, and its own hash."""
    body = _encode(entry)
    seal = sha256(before.encode() + body).hexdigest()
    return body[:-1] + _SEAL + seal.encode() + _END, seal


def seal_of(line: bytes) -> str:
    """The hash that a line says it has."""
    return line.rpartition(_SEAL)[2].removesuffix(_END).decode("ascii", "replace")


def read_line(line: bytes, before: str) -> Line | None:
    """A line of the chain; None: it is none."""
    body, found, _ = line.rpartition(_SEAL)
    seal = seal_of(line)
    if not found or sha256(before.encode() + body + b"}").hexdigest() != seal:
        return None
    try:
        return Line(_decode(body + b"}"), seal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
