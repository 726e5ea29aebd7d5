"""Which identifier system a text belongs to: all that may be, ranked, with reasons. Pure.

A code with a wrong check digit is a wrong code of its system, with the digit that is expected, and
not an unknown one: whoever typed it wants to hear of the digit.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from gateway.identifier.codes.code import Code, CodeError, System
from gateway.identifier.codes.credit import Uscc, likely_meant
from gateway.identifier.codes.did import Did
from gateway.identifier.codes.ecode import Ecode
from gateway.identifier.codes.epc import from_epc
from gateway.identifier.codes.gs1 import GTIN_LENGTHS, KEYS, SEPARATOR, Gs1
from gateway.identifier.codes.handle import Handle
from gateway.identifier.codes.noise import Cleaned, clean
from gateway.identifier.codes.oid import Oid
from gateway.identifier.codes.vaa import Vaa
from gateway.identifier.codes.wrapping import resolver_handle, wrapped_codes

MAX_TEXT = 4096
"""Characters that are looked at; what is longer is no code."""

MARKED = 1.0
"""The text names its system: a scheme, brackets, a scanner's prefix."""
CHECKED = 0.9
"""The shape of a system, and a check digit that agrees."""
NATIONAL = 0.85
"""A shape that hardly anything else has."""
SHAPED = 0.6
"""A shape that other things have too."""
POSSIBLE = 0.2
"""A shape that much has."""
_WRAPPED = 0.95
"""Of the score of a code that stands within a URL."""
_MOST_DISTINCT = 5
_WRONG_CHECK = 0.5
"""Of the score of a code whose check digit disagrees."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One reading of a text.

    Attributes:
        system: that it may belong to.
        score: how likely it is, 0 to 1.
        reason: why this system; of a wrong code, what is wrong.
        code: as read; none if it is a wrong code of this system.
        expected: the check digit or character that belongs to a wrong one, if that is its fault.
        removed: noise that was taken away from the text before.
    """

    system: System
    score: float
    reason: str
    code: Code | None = None
    expected: str = ""
    removed: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether the text is a code of the system."""
        return self.code is not None


def classify(text: str) -> list[Candidate]:
    """All systems that a text may belong to, the likeliest first; none: it is no code at all."""
    if len(text) > MAX_TEXT:
        return []
    cleaned = clean(text)
    found = sorted(_candidates(cleaned), key=lambda one: one.score, reverse=True)
    if cleaned.removed:
        return [replace(one, removed=cleaned.removed) for one in found]
    return found


def distinct(readings: Sequence[Candidate]) -> list[Candidate]:
    """The likeliest of those that say something else, a handful, to be shown to a person."""
    unlike: dict[tuple[str, ...], Candidate] = {}
    for one in readings:
        unlike.setdefault((one.system, str(one.code), one.expected), one)
    return list(unlike.values())[:_MOST_DISTINCT]


def _candidates(cleaned: Cleaned) -> Iterator[Candidate]:
    text = cleaned.text
    if not text:
        return
    if cleaned.gs1 or _ELEMENTS.match(text) is not None:
        yield _read(System.GS1, Gs1.from_elements, text, MARKED, "GS1 element strings")
    elif (scheme := _SCHEME.match(text)) is not None:
        yield from _SCHEMES[scheme[0].lower()](text)
    elif text[:3].upper() == "VAA" and text[3:6].isdecimal():
        yield _read(System.VAA, Vaa.parse, text, MARKED, "begins with VAA")
    elif "/" in text:
        yield from _as_written(cleaned)
        yield from _handles(text)
    elif "|" in text and text[0] in "01234":
        yield _read(System.ECODE, Ecode.parse, text, MARKED, "version | numbering system | data")
    else:
        yield from _plain(text)


def _read(
    system: System, read: Callable[[str], Code], text: str, score: float, reason: str
) -> Candidate:
    """A code, or what is wrong with it."""
    try:
        return Candidate(system, score, reason, read(text))
    except CodeError as error:
        return Candidate(system, score, str(error), expected=error.expected)


# What names its own system


def _did(text: str) -> Iterator[Candidate]:
    yield _read(System.DID, Did.parse, text, MARKED, "begins with did:")


def _oid(text: str) -> Iterator[Candidate]:
    yield _read(System.OID, Oid.parse, text, MARKED, "names itself an OID")


def _epc(text: str) -> Iterator[Candidate]:
    yield _read(System.GS1, from_epc, text, MARKED, "an EPC URI")


def _named_handle(text: str) -> Iterator[Candidate]:
    own = _HANDLE_MARK.sub("", text, count=1)
    yield _read(System.HANDLE, Handle.parse, own, MARKED, "names itself a handle")


def _url(text: str) -> Iterator[Candidate]:
    if handle := resolver_handle(text):
        yield _read(System.HANDLE, Handle.parse, handle, MARKED, "address of a handle resolver")
        return
    if _KEY_SEGMENT.search(text) is not None:
        yield _link(text)
    for inner in wrapped_codes(text):
        for one in classify(inner):
            if one.score > POSSIBLE and not inner.startswith("http"):
                reason = f"within a URL: {one.reason}"
                yield replace(one, score=round(one.score * _WRAPPED, 3), reason=reason)


def _link(text: str) -> Candidate:
    """A Digital Link; many an address has a number in its path, so a wrong one is likelier none."""
    one = _read(System.GS1, Gs1.from_link, text, MARKED, "a GS1 Digital Link")
    return one if one.is_valid or one.expected else replace(one, score=_WRONG_CHECK)


_ELEMENTS = re.compile(rf"\(\d|\d\d[^.].*{SEPARATOR}", re.DOTALL)
_HANDLE_MARK = re.compile(r"(?:hdl|doi):|info:(?:hdl|doi)/", re.IGNORECASE)
_KEY_SEGMENT = re.compile(rf"/(?:{'|'.join(KEYS)})/[^/?#]+")
_SCHEMES: dict[str, Callable[[str], Iterator[Candidate]]] = {
    "did:": _did,
    "urn:oid:": _oid,
    "oid:": _oid,
    "urn:epc:": _epc,
    "hdl:": _named_handle,
    "doi:": _named_handle,
    "info:hdl/": _named_handle,
    "info:doi/": _named_handle,
    "http://": _url,
    "https://": _url,
}
_SCHEME = re.compile("|".join(map(re.escape, _SCHEMES)), re.IGNORECASE)


# What is known by its shape

_PREFIX = re.compile(r"\d+(?:\.[0-9A-Za-z_-]+)+", re.ASCII)
_COUNTRIES = ("86.", "88.")
_BARE_PREFIX = re.compile(r"8[68]\.\d{1,4}\.[0-9A-Za-z.]{1,40}", re.ASCII)
_DOTTED = re.compile(r"[012](?:\.\d+)+", re.ASCII)
_FEW_ARCS = 4
"""Numbers with fewer dots between them may be a version, a date or an address as well."""
_GROUPED = re.compile(r"(?!\d{4}-\d\d-\d\d$)\d[\d -]*\d", re.ASCII)
"""Digits as they are printed, in groups; no date."""
_CREDIT = re.compile(r"[1-9ANY][1-9A-HJ-NPQRTUWXY]\d{6}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
"""Authority, kind of body, six digits of a region, number, check (GB 32100-2015, 5)."""
_HOST = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+(?::\d+)?/", re.IGNORECASE)
_NARROW_PREFIX = re.compile(r"8[68]\.[0-9A-Za-z.]+/", re.ASCII)


def _as_written(cleaned: Cleaned) -> Iterator[Candidate]:
    """A national handle whose suffix has full-width characters, which may be its own."""
    if cleaned.written != cleaned.text and _NARROW_PREFIX.match(cleaned.written) is not None:
        yield from _handles(cleaned.written)


def _handles(text: str) -> Iterator[Candidate]:
    if _HOST.match(text) is not None:  # an address without its scheme, as printed
        yield from (one for one in _url(f"https://{text}") if one.is_valid)
    one = _read(System.HANDLE, Handle.parse, text, POSSIBLE, "something, a slash, something")
    if not isinstance(one.code, Handle):
        yield one
    elif one.code.national:
        yield replace(one, score=NATIONAL, reason="country.industry.enterprise/suffix")
    elif one.code.prefix.startswith(_COUNTRIES):
        wrong = f"{one.code.prefix} is no country.industry.enterprise: 1 to 4 digits, then 1 to 20"
        yield Candidate(System.HANDLE, SHAPED, f"{wrong} letters or digits a part")
    elif _PREFIX.fullmatch(one.code.prefix) is not None:
        yield replace(one, score=SHAPED, reason="prefix/suffix")
    else:
        yield one


def _plain(text: str) -> Iterator[Candidate]:
    if _DOTTED.fullmatch(text) is not None:
        yield _bare_oid(text)
    elif _BARE_PREFIX.fullmatch(text) is not None:
        wrong = f"{text} is a prefix; a handle has a slash and a suffix behind it"
        yield Candidate(System.HANDLE, SHAPED, wrong)
    elif text.isascii():
        if _GROUPED.fullmatch(text) is not None:
            text = text.replace(" ", "").replace("-", "")
        yield from _credit(text)
        if text[:1].isdigit():
            yield from _numbers(text)


def _bare_oid(text: str) -> Candidate:
    one = _read(System.OID, Oid.parse, text, SHAPED, "numbers with dots between them")
    if isinstance(one.code, Oid) and one.code.chinese:
        return replace(one, score=NATIONAL, reason="below an arc of China")
    return one if text.count(".") >= _FEW_ARCS else replace(one, score=POSSIBLE)


def _credit(text: str) -> Iterator[Candidate]:
    code = text.replace(" ", "").upper()
    if _CREDIT.fullmatch(code) is not None:
        yield _by_check(System.USCC, Uscc.parse, code, "18 characters, the last one agrees")
    elif _CREDIT.fullmatch(likely_meant(code)) is not None:
        yield _by_check(System.USCC, Uscc.parse, code, "letters for digits")


def _by_check(
    system: System, read: Callable[[str], Code], text: str, reason: str, good: float = CHECKED
) -> Candidate:
    one = _read(system, read, text, good, reason)
    return one if one.is_valid else replace(one, score=good * _WRONG_CHECK)


def _numbers(text: str) -> Iterator[Candidate]:
    """Digits, or what begins with them: GS1 keys, element strings without a mark, Ecodes."""
    if text.isdigit():
        yield from _keys(text)
    if len(text) > max(GTIN_LENGTHS) + 2 and text.startswith("01"):
        one = _read(System.GS1, Gs1.from_elements, text, SHAPED, "a GTIN behind 01")
        if one.is_valid or one.expected:
            yield one
    yield from _ecodes(text)


def _keys(digits: str) -> Iterator[Candidate]:
    count = len(digits)
    if count in GTIN_LENGTHS:
        yield _by_check(System.GS1, Gs1.of_gtin, digits, f"{count} digits, the last one agrees")
    if count == _BARE_SSCC and digits.startswith("00"):
        one = _read(System.GS1, Gs1.from_elements, digits, SHAPED, "an SSCC behind 00")
        yield one if one.is_valid else replace(one, score=SHAPED * _WRONG_CHECK)
    if (ai := _OTHER_KEYS.get(count)) is not None:
        reason = f"({ai}): {count} digits, the last one agrees"
        yield _by_check(System.GS1, partial(Gs1.of_key, ai), digits, reason, SHAPED)


_OTHER_KEYS = {13: "414", 17: "402", 18: "00"}
"""Keys of so many digits, beside trade items."""


_BARE_SSCC = 20
"""Digits of a logistic unit with 00 before it."""


def _ecodes(text: str) -> Iterator[Candidate]:
    if text[0] not in "01234" or len(text) in GTIN_LENGTHS:
        return
    one = _read(System.ECODE, Ecode.parse, text, POSSIBLE, "the shape of an Ecode")
    if one.expected:
        yield one
    if not isinstance(one.code, Ecode) or one.code.doubt:
        return
    inner = [] if one.code.version else list(_keys(one.code.data))
    yield (
        replace(one, score=NATIONAL, reason="an Ecode that holds a GTIN")
        if any(key.score == CHECKED for key in inner)
        else one
    )
    yield from (replace(key, score=SHAPED) for key in inner if key.score == CHECKED)
