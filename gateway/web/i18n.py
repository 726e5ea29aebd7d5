"""Two languages, one catalogue file each; a missing key is an error, never an empty text."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "zh"
CATALOG = Path(__file__).parent / "catalog"


@cache
def catalog(language: Language) -> Mapping[str, str]:
    """All texts of a language by dotted key, as ``nav.overview``."""
    tree = tomllib.loads((CATALOG / f"{language}.toml").read_text(encoding="utf-8"))
    return dict(_flatten(tree, ""))


def _flatten(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def text(language: Language, key: str, /, **values: object) -> str:
    """One text, with ``{name}`` places filled in.

    A place with two words, as ``{count:machine|machines}``, is the first for one and the second
    for any other number.

    Raises:
        KeyError: the catalogue has no such key, or a place has no value.
    """
    found = catalog(language)[key]
    return found.format(**{name: _Value(one) for name, one in values.items()}) if values else found


@dataclass(frozen=True, slots=True)
class _Value:
    """What fills a place in: a number, or one that was written out already."""

    value: object

    def __format__(self, wanted: str) -> str:
        one, bar, many = wanted.partition("|")
        if not bar:
            return format(self.value, wanted)
        return one if str(self.value) == "1" else many


def cause_words(language: Language, code: str) -> str:
    """The cause of a gap in words; a code that a newer edge may know stands for itself."""
    return catalog(language).get(f"reason.{code}", code)


def fault_words(language: Language, fault: str, endpoint: str, unit: str) -> tuple[str, str]:
    """What is wrong with a device, and what to do; both empty where nothing is.

    Args:
        language: of the words.
        fault: id, as of ``gateway/edge/device/standing/faults.py``.
        endpoint: where the device is reached.
        unit: what tells it from others there, in this language; may be empty.
    """
    known = catalog(language)
    if f"fault.{fault}" not in known:
        return "", ""
    places = {
        "endpoint": endpoint,
        "host": _host(endpoint),
        "unit": unit or known["edge.its_address"],
    }
    return known[f"fault.{fault}"], text(language, f"fault_advice.{fault}", **places)


def _host(endpoint: str) -> str:
    """What can be pinged of an endpoint: its host without port; a path stays as it is."""
    try:
        return urlsplit(endpoint if "://" in endpoint else f"//{endpoint}").hostname or endpoint
    except ValueError:
        return endpoint


def reason_advice(language: Language, code: str) -> str:
    """What to do about a tag that is BAD for a reason; empty where nobody knows from it alone."""
    return catalog(language).get(f"reason_advice.{code}", "")


def action_words(language: Language, action: str) -> str:
    """What the audit log calls an action; one that a newer city wrote stands for itself."""
    return catalog(language).get(f"audit.action.{action}", action)


def choose(query: str | None, cookie: str | None, accept: str) -> Language:
    """The language of a page: ``?lang=`` first, then the cookie, then what the browser prefers.

    Args:
        query: value of the parameter ``lang``.
        cookie: value of the cookie ``lang``.
        accept: the Accept-Language header.
    """
    for wish in (query, cookie, *_preferences(accept)):
        for language in LANGUAGES:
            if wish is not None and wish.lower().split("-")[0] == language:
                return language
    return DEFAULT


def _preferences(accept: str) -> list[str]:
    weighted = []
    for entry in accept.split(",")[:20]:  # a header of megabytes must cost nothing
        name, _, weight = entry.strip().partition(";q=")
        weighted.append((-_weight(weight), name))
    return [name for weight, name in sorted(weighted, key=lambda pair: pair[0]) if weight < 0]


def _weight(digits: str) -> float:
    try:
        return float(digits or 1)
    except ValueError:
        return 0.0
