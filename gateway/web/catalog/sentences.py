"""Sentences that code says in English, in the other language of its pages. Pure but for files.

Drivers, gate and checks say what is wrong in English, as plain text: logs and the command line
print it, the wire and records carry it. A page finds the sentence again in catalogues, whose keys
are the English with its facts in named fields, and says it with the same facts::

    "unit {unit} did not answer within {s} s" = "站号 {unit} 在 {s} 秒内未应答"

A fact holds neither ``; `` nor ``: ``. ``{x:word}`` is one without blanks. ``{x:said}`` may be a
sentence of its own, and is said in the other language too, ``{x:part}`` the same without ``; ``,
``{x:each}`` several such, parted by commas. Of several keys that fit, the one with the most words
of its own counts. What no key fits stays English.
"""

import logging
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter
from typing import Literal, NamedTuple, cast, get_args

from gateway.web.i18n import Language, catalog

_log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "said"
"""Catalogues of what the product itself says; those of drivers are named by their ``SPEC``."""

LONGEST = 4_000
"""Characters of a sentence that is looked at; a device can put anything into its words."""
DEEPEST = 8
"""So many sentences may stand within each other."""
_KNOWN = 4_096

Holds = Literal["", "word", "said", "part", "each"]


class Field(NamedTuple):
    """A place for a fact, and the fixed words that follow it."""

    name: str
    holds: Holds
    then: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a catalogue.

    Attributes:
        begin: fixed words before the first fact.
        fields: its facts in their English order.
        other: the whole in the other language, as a format with the same names.
    """

    begin: str
    fields: tuple[Field, ...]
    other: str

    @property
    def weight(self) -> int:
        """How much of it is fixed."""
        return len(self.begin) + sum(len(one.then) for one in self.fields)

    @property
    def has_words(self) -> bool:
        """Whether it has words of its own, and is not only a stop between two sentences."""
        return any(map(str.isalnum, self.begin + "".join(one.then for one in self.fields)))

    def facts(self, words: str) -> dict[str, str] | None:
        """The facts of a text that says this; None: it says something else. Linear in its length.

        A fact ends where the words that follow it first stand.
        """
        if not words.startswith(self.begin):
            return None
        if not self.fields:
            return {} if words == self.begin else None
        found, at = {}, len(self.begin)
        for field in self.fields[:-1]:
            end = words.find(field.then, at + 1)
            if end < 0:
                return None
            found[field.name], at = words[at:end], end + len(field.then)
        last = self.fields[-1]
        found[last.name] = words[at : len(words) - len(last.then)]
        is_whole = words.endswith(last.then) and len(words) - len(last.then) > at
        return found if is_whole and all(map(_holds, self.fields, found.values())) else None


def _holds(field: Field, fact: str) -> bool:
    if field.holds == "word":
        return not any(one.isspace() for one in fact)
    if field.holds in {"said", "each"}:
        return True
    return "; " not in fact and (field.holds == "part" or ": " not in fact)


def parse(key: str, other: str) -> Sentence:
    """A sentence from its line in a catalogue.

    Raises:
        ValueError: facts have no words between them, no name or one name twice, or hold what
            nobody knows.
    """
    begin, fields = "", list[Field]()
    for literal, name, holds, _ in Formatter().parse(key):
        if fields:  # a brace that is meant as one ends a literal, too
            fields[-1] = fields[-1]._replace(then=fields[-1].then + literal)
        else:
            begin += literal
        if name is None:
            continue
        if fields and not fields[-1].then:
            raise ValueError(f"{key!r}: two facts without words between them")
        if holds not in get_args(Holds):
            raise ValueError(f"{key!r}: {{{name}}} holds {holds!r}; write word, said, part or each")
        fields.append(Field(name, cast("Holds", holds), ""))
    names = {one.name for one in fields}
    if len(names) != len(fields) or "" in names:
        raise ValueError(f"{key!r}: each fact has a name of its own")
    return Sentence(begin, tuple(fields), other)


class Sentences:
    """What is said, in the other language.

    Args:
        lines: English and the other, line by line.
    """

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        parsed = [parse(key, other) for key, other in lines]
        self._sentences = sorted(parsed, key=lambda one: -one.weight)
        self._known = lru_cache(_KNOWN)(self._other)

    def other(self, words: str) -> str:
        """A text in the other language; as it is where no sentence fits."""
        return words if len(words) > LONGEST else self._known(words, DEEPEST)

    def _other(self, words: str, deepest: int) -> str:
        for sentence in self._sentences if deepest else ():
            facts = sentence.facts(words)
            if facts is not None:
                said = {
                    field.name: self._part(facts[field.name], field.holds, deepest - 1)
                    for field in sentence.fields
                }
                if sentence.has_words or said != facts:
                    return sentence.other.format(**said)
        return words

    def _part(self, fact: str, holds: Holds, deepest: int) -> str:
        if holds == "each":
            return "、".join(self._known(one, deepest) for one in fact.split(", "))
        return self._known(fact, deepest) if holds in {"said", "part"} else fact


def lines_of(file: Path) -> Iterator[tuple[str, str]]:
    """The lines of a catalogue.

    Raises:
        ValueError: it cannot be read; the message names it.
    """
    try:
        yield from tomllib.loads(file.read_text(encoding="utf-8")).items()
    except (OSError, ValueError) as error:
        raise ValueError(f"{file}: {error}") from error


@cache
def sentences_of(files: frozenset[Path] = frozenset()) -> Sentences:
    """The product's own sentences, and those of some drivers.

    A catalogue that cannot be used is logged, and what it would say stays English.
    """
    found = [*_codes(catalog("zh"))]
    for file in (*sorted(FOLDER.glob("*.toml")), *sorted(files)):
        try:
            lines = list(lines_of(file))
            for line in lines:
                parse(*line)
        except ValueError as error:
            _log.error("sentences of %s cannot be used: %s", file, error)
        else:
            found += lines
    return Sentences(found)


def said(words: str, language: Language, files: frozenset[Path] = frozenset()) -> str:
    """A sentence in the language of a page; ``files`` are catalogues of drivers."""
    return words if language == "en" else sentences_of(files).other(words)


def _codes(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Reasons by their code, which sentences end with."""
    head = "reason."
    for key, words in texts.items():
        if key.startswith(head):
            yield key.removeprefix(head).replace("{", "{{"), words
