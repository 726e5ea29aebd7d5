"""What is looked for, and what is looked through: the same text in one form. Pure."""

import re
import unicodedata
from dataclasses import dataclass

from edge_config.models.ledger_number import normal

FIELD, RECORD = "\x1f", "\x1e"
"""End the name, and the number, of a machine in a folded text; no word of a query holds them."""
LONGEST = 100
"""Characters of a query that are looked for."""
_BLANKS = re.compile(f"[^\\S{FIELD}{RECORD}]+")
_NUMBERED = re.compile(r"(?<=\d)号")


def folded(text: str) -> str:
    """Text as it is compared: ``１ 号 ABC`` is ``1#abc``.

    Compatible forms are one (NFKC), case and blanks do not matter, and a number with 号 is one
    with #: plants write either for the same machine.
    """
    narrow = unicodedata.normalize("NFKC", text).casefold()
    return _NUMBERED.sub("#", _BLANKS.sub("", narrow))


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for.

    Attributes:
        text: as it was typed, at most :data:`LONGEST` characters.
        whole: folded; empty: nothing is looked for.
        words: its parts between blanks, folded; each must be found.
    """

    text: str
    whole: str
    words: tuple[str, ...]


def query(text: str) -> Query:
    """Read what was typed."""
    typed = normal(text[:LONGEST])
    joined = re.sub(r"(?<=\d)\s+(?=号)", "", typed)  # "1 号" is one word
    words = dict.fromkeys(filter(None, map(folded, joined.split())))
    return Query(typed, folded(" ".join(joined.split())), tuple(words))
