"""What the numbers of a ledger may be – of machines and of sites – and when two are one. Pure.

Plants write ``1#注塑机``, ``A/01`` or ``数控 01``: what is printed on the machine. Edge, ledger and
city hold a number to this rule and to no other, so that what stands in the ledger can be sent.
Whoever puts one into a topic, a line, an address or a file name quotes it there.
"""

import re
import unicodedata
from hashlib import blake2b

MAX_ASSET_NO = 64
"""Characters of a machine's number."""
MAX_SITE_NO = 16
"""Characters of a site's number."""
MAX_KEY = 128
"""Characters of a key that a database holds."""

_DASHES = dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63\uff0d\u2500"), "-"
)
_BLANKS = re.compile(r" {2,}")
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""General categories of Unicode: control characters, halves of characters, line separators."""


def normal(number: str) -> str:
    """A number as it is held and sent: ``ＢＲ–００１`` is ``BR-001``; capitals stay as they are.

    Compatible forms are one (NFKC), every dash is a hyphen, invisible characters and blanks around
    are dropped, several blanks inside are one.
    """
    if not number.isascii():
        narrow = unicodedata.normalize("NFKC", number.translate(_DASHES)).translate(_DASHES)
        number = "".join(one for one in narrow if unicodedata.category(one) != "Cf")
    if "  " in number:
        number = _BLANKS.sub(" ", number)
    return number.strip(" ")


def key_of(number: str) -> str:
    """A number as it is compared: of its normal form, case does not matter either.

    What would be longer than a database holds is replaced by its hash.
    """
    if number.isascii() and "  " not in number:  # nearly all, and a ledger asks a million times
        key = number.strip().upper()
    else:
        key = normal(number).strip().upper()
        if not key.isascii():  # some letters become others when they are made capitals
            key = normal(unicodedata.normalize("NFKC", key))
    return key if len(key) <= MAX_KEY else blake2b(key.encode(), digest_size=32).hexdigest()


def problem(number: str, limit: int = MAX_ASSET_NO) -> str | None:
    """Why a number cannot be held, as the rest of a sentence about it; None if it can.

    Args:
        number: in its normal form.
        limit: most characters.
    """
    if len(number) > limit:
        return f"has {len(number)} characters; at most {limit} are kept"
    if any(unicodedata.category(one) in _UNPRINTABLE for one in number):
        return "holds a line break or another control character; take it out"
    if not any(unicodedata.category(one)[0] in "LN" for one in number):
        return "holds neither a letter nor a digit; write the number on the machine"
    if number.endswith("\\"):
        return "ends with a backslash, which databases of values cannot keep there; leave it out"
    return None


def held(number: str, limit: int = MAX_ASSET_NO) -> str:
    """The normal form of a number that somebody wrote.

    Raises:
        ValueError: it cannot be held; the message says why and what to do.
    """
    made = normal(number)
    wrong = problem(made, limit)
    if wrong:
        raise ValueError(f"{made!r} {wrong}")
    return made
