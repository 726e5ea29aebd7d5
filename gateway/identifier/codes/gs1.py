"""GS1 codes: element strings, Digital Link URIs, bare numbers. Pure.

Application identifiers, lengths and characters are those of ``biip``; what it leaves open, the
check digits of all keys, is looked at here (GS1 General Specifications, 7.9).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, urlencode

from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message

from gateway.identifier.codes.code import CodeError, System

SEPARATOR = "\x1d"
"""FNC1, as scanners send it between element strings."""
ROOT = "https://id.gs1.org"
MAX_TEXT = 2048
GTIN_LENGTHS = frozenset({8, 12, 13, 14})

_CHECKED = {
    "00": slice(0, 18),
    "01": slice(0, 14),
    "02": slice(0, 14),
    "253": slice(0, 13),
    "255": slice(0, 13),
    "402": slice(0, 17),
    "414": slice(0, 13),
    "415": slice(0, 13),
    "417": slice(0, 13),
    "8003": slice(0, 14),
    "8006": slice(0, 14),
    "8017": slice(0, 18),
    "8018": slice(0, 18),
}
"""Elements with a check digit: where the digits that it ends stand."""
_GMN = "8013"
KEYS = {
    "01": ("22", "10", "21", "235"),
    "8006": ("22", "10", "21"),
    "8003": (),
    "8004": ("7040",),
    "8010": ("8011",),
    "8013": (),
    "414": ("254", "7040"),
    "415": ("8020",),
    "417": ("7040",),
    "8017": ("8019",),
    "8018": ("8019",),
    "00": (),
    "253": (),
    "255": (),
    "401": (),
    "402": (),
}
"""Application identifiers that say by themselves what a thing is, and their qualifiers in order
(GS1 Digital Link, URI syntax 1.4, 4.4)."""
_ITEM = re.compile(r"/01/([^/?#]*)")
_BRACKETED = re.compile(r"(?:\(\d{2,4}\)[^()]+)+", re.ASCII)


def check_digit(digits: str) -> str:
    """The digit that belongs behind some digits: weights 3, 1, 3 … from the right, mod 10."""
    odd, even = sum(map(int, digits[::-2])), sum(map(int, digits[-2::-2]))
    return str(-(3 * odd + even) % 10)


_CHARACTERS = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_PAIR = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_WEIGHTS = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)


def check_characters(model: str) -> str:
    """The pair that belongs behind a model number of at most 23 characters.

    Weights are primes from the right, mod 1021 (GS1 General Specifications, 7.9.5).
    """
    weighed = zip(reversed(model), _WEIGHTS, strict=False)
    total = sum(_CHARACTERS.index(one) * weight for one, weight in weighed) % 1021
    return _PAIR[total >> 5] + _PAIR[total & 31]


@dataclass(frozen=True, slots=True)
class Gs1:
    """What a GS1 code says.

    Attributes:
        elements: (application identifier, value) in the order of a canonical Digital Link: the
            key, its qualifiers, what else was told.
    """

    system: ClassVar = System.GS1
    elements: tuple[tuple[str, str], ...]

    @classmethod
    def of_gtin(cls, digits: str) -> "Gs1":
        """A trade item; 8, 12 or 13 digits are filled up to 14.

        Raises:
            CodeError: another number of digits, or a wrong check digit.
        """
        if len(digits) not in GTIN_LENGTHS or not (digits.isascii() and digits.isdigit()):
            raise CodeError(f"{digits!r} is no GTIN: 8, 12, 13 or 14 digits")
        return cls.of_key("01", digits.zfill(14))

    @classmethod
    def of_key(cls, ai: str, value: str) -> "Gs1":
        """One key of a fixed number of digits.

        Raises:
            CodeError: a wrong check digit.
        """
        return cls.of(((ai, value),))

    @classmethod
    def of(cls, elements: Iterable[tuple[str, str]]) -> "Gs1":
        """Elements that are well formed each, in any order.

        Raises:
            CodeError: a wrong check digit, no key, two keys, or an element twice.
        """
        found = dict(given := tuple(elements))
        keys = [ai for ai in KEYS if ai in found]
        if len(keys) != 1 or len(found) != len(given):
            raise CodeError(
                f"one key and no element twice, not {', '.join(ai for ai, _ in given) or 'nothing'}"
            )
        for element in given:
            _demand_check_digit(*element)
        order = (keys[0], *KEYS[keys[0]])
        first = [(ai, found.pop(ai)) for ai in order if ai in found]
        return cls((*first, *sorted(found.items())))

    @classmethod
    def from_elements(cls, text: str) -> "Gs1":
        """Element strings, with brackets as people read them, or as scanners send them.

        Raises:
            CodeError: unknown or malformed ones, no key among them, or a wrong check digit.
        """
        if len(text) > MAX_TEXT:
            raise CodeError(f"{len(text)} characters; {MAX_TEXT} are the most")
        is_bracketed = text.startswith("(")
        if is_bracketed and _BRACKETED.fullmatch(text) is None:
            raise CodeError(f"{text!r}: (number)value, and no brackets within a value")
        try:
            message = (GS1Message.parse_hri if is_bracketed else GS1Message.parse)(text)
        except ParseError as error:
            raise CodeError(str(error)) from None
        return cls._parsed(message.element_strings)

    @classmethod
    def of_values(cls, elements: Iterable[tuple[str, str]]) -> "Gs1":
        """Elements from elsewhere, in any order.

        Raises:
            CodeError: as `of`, and for values that their application identifiers do not allow.
        """
        given = tuple(elements)
        return cls.from_elements("".join(f"{ai}{value}{SEPARATOR}" for ai, value in given))

    @classmethod
    def from_link(cls, uri: str) -> "Gs1":
        """A Digital Link URI of any domain.

        Raises:
            CodeError: no key in its path, qualifiers of another key, a GTIN of another length
                than GTINs have (a day, say), or a wrong check digit.
        """
        if len(uri) > MAX_TEXT:
            raise CodeError(f"a URI of {len(uri)} characters; {MAX_TEXT} are the most")
        try:
            link = GS1DigitalLinkURI.parse(uri)
        except (ParseError, ValueError) as error:  # ValueError: what urlsplit refuses
            raise CodeError(str(error)) from None
        key = link.element_strings[0].ai.ai
        if key == "01" and not any(len(one[1]) in GTIN_LENGTHS for one in _ITEM.finditer(uri)):
            raise CodeError(f"{uri!r}: behind 01 a GTIN of 8, 12, 13 or 14 digits is due")
        return cls._parsed(link.element_strings)

    @classmethod
    def _parsed(cls, strings: Iterable[GS1ElementString]) -> "Gs1":
        return cls.of((one.ai.ai, one.value) for one in strings)

    @property
    def key(self) -> tuple[str, str]:
        """The key: its application identifier and value."""
        return self.elements[0]

    @property
    def bracketed(self) -> str:
        """As people read it: ``(01)09521234543213(21)12345``."""
        return "".join(f"({ai}){value}" for ai, value in self.elements)

    @property
    def element_string(self) -> str:
        """As a symbol holds it, with FNC1 behind what has no fixed length."""
        strings = [GS1ElementString.parse(f"{ai}{value}") for ai, value in self.elements]
        ends = [SEPARATOR if one.ai.separator_required else "" for one in strings]
        whole = "".join(
            f"{one.ai.ai}{one.value}{end}" for one, end in zip(strings, ends, strict=True)
        )
        return whole.removesuffix(SEPARATOR)

    def link(self, root: str = ROOT) -> str:
        """As a Digital Link URI below a resolver's address."""
        count = 1 + sum(ai in KEYS[self.key[0]] for ai, _ in self.elements[1:])
        path = "".join(f"/{ai}/{quote(value, safe='')}" for ai, value in self.elements[:count])
        query = urlencode(self.elements[count:])
        return f"{root}{path}?{query}" if query else f"{root}{path}"

    def __str__(self) -> str:
        return self.link()


def _demand_check_digit(ai: str, value: str) -> None:
    if ai == _GMN:
        check_pair = check_characters(value[:-2])
        _demand_end(ai, value, "check characters", value[-2:], check_pair)
    place = _CHECKED.get(ai)
    if place is None:
        return
    _demand_end(ai, value, "check digit", value[place][-1], check_digit(value[place][:-1]))


def _demand_end(ai: str, value: str, what: str, end: str, expected: str) -> None:
    if end != expected:
        raise CodeError(
            f"({ai}){value}: {what} {end}, but {expected} belongs to the rest", expected
        )
