"""What can be found: names and numbers of the ledger, folded, an enterprise at a time. Pure.

A text of a million machines is looked through in tens of milliseconds; no index of a database finds
a part of a Chinese name, of one character or two, alike on SQLite and on PostgreSQL.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gateway.city.console.search.words import FIELD, RECORD, Query, folded


@dataclass(frozen=True, slots=True)
class Machines:
    """The machines of an enterprise.

    Attributes:
        text: :data:`RECORD`, then name, :data:`FIELD`, number, :data:`RECORD` of each; folded.
        ids: of the machines, in the same order.
    """

    text: str
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger names.

    Attributes:
        change: newest change of the ledger that it knows.
        enterprises: name and USCC, folded, by USCC.
        machines: by USCC; an enterprise without any is not among them. None: they have not been
            read yet, which is not the same as that there are none.
    """

    change: int
    enterprises: Mapping[str, str]
    machines: Mapping[str, Machines] | None


def machines(rows: Sequence[Any]) -> Machines:
    """Fold the machines of an enterprise.

    Args:
        rows: id, name and asset number of each.
    """
    text = _joined((name, number) for _, name, number in rows)
    if text.count(RECORD) != len(rows) + 1 or text.count(FIELD) != len(rows):
        text = _joined((_plain(name), _plain(number)) for _, name, number in rows)
    return Machines(text, array("q", (one for one, _, _ in rows)))


def machines_in(names: str, ids: Iterable[int]) -> Machines | None:
    """Fold the machines of an enterprise that a database has joined.

    Args:
        names: name, :data:`FIELD`, number of each, with :data:`RECORD` between them.
        ids: of the machines, in the same order.

    Returns:
        None if a name or a number holds one of the two itself: they must be asked for singly.
    """
    numbers = array("q", ids)
    if names.count(RECORD) != len(numbers) - 1 or names.count(FIELD) != len(numbers):
        return None
    return Machines(folded(f"{RECORD}{names}{RECORD}"), numbers)


def _joined(rows: Iterable[tuple[str, str]]) -> str:
    """All at once: to fold a long text is much cheaper than to fold many short ones."""
    return folded(RECORD + "".join(f"{name}{FIELD}{number}{RECORD}" for name, number in rows))


def _plain(text: str) -> str:
    return text.replace(FIELD, "").replace(RECORD, "")


def enterprises_of(known: Known, asked: Query, seen: Collection[str] | None) -> Iterator[str]:
    """USCCs of the enterprises that have every word in their name or code.

    Args:
        known: what there is.
        asked: what is looked for; not empty.
        seen: USCCs that may be found; None: all.
    """
    for uscc, text in known.enterprises.items():
        if (seen is None or uscc in seen) and all(word in text for word in asked.words):
            yield uscc


def machines_of(
    known: Known, asked: Query, seen: Collection[str] | None, limit: int
) -> tuple[list[int], bool]:
    """Machines that have every word in their name, their number or their enterprise's name.

    A machine of exactly that name or number comes first. A machine of which only the enterprise's
    name has the words is not found: the enterprise is. Where they have not been read none is.

    Returns:
        Their ids, and whether there are more.
    """
    every = known.machines or {}
    mine = [one for one in every.items() if seen is None or one[0] in seen]
    exactly = islice(_exactly(mine, asked.whole), limit + 1)
    found = dict.fromkeys(exactly)
    for one in _having(known, mine, asked.words):
        if len(found) > limit:
            break
        found[one] = None
    ids = list(found)
    return ids[:limit], len(ids) > limit


Mine = Sequence[tuple[str, Machines]]


def _exactly(mine: Mine, whole: str) -> Iterator[int]:
    for wanted in (f"{FIELD}{whole}{RECORD}", f"{RECORD}{whole}{FIELD}"):
        for _, part in mine:
            for at in _places(part.text, wanted):
                yield part.ids[_number(part.text, at)]


def _having(known: Known, mine: Mine, words: tuple[str, ...]) -> Iterator[int]:
    for uscc, part in mine:
        name = known.enterprises.get(uscc, "")
        wanted = [word for word in words if word not in name] or list(words)
        longest = max(wanted, key=len)
        others = [word for word in wanted if word != longest]
        last = -1
        for at in _places(part.text, longest):
            number = _number(part.text, at)
            if number != last and all(word in _record(part.text, at) for word in others):
                yield part.ids[number]
            last = number


def _number(text: str, at: int) -> int:
    """Which record a place is in, or begins."""
    return text.count(RECORD, 0, at + 1) - 1


def _record(text: str, at: int) -> str:
    return text[text.rfind(RECORD, 0, at) + 1 : text.find(RECORD, at)]


def _places(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + len(wanted))
