"""How a machine is named: enterprise, site and asset number, and when two numbers are one. Pure."""

import unicodedata
from hashlib import blake2b
from typing import NamedTuple

MAX_KEY = 128
"""Characters of a key that a database holds."""

_DASHES = dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63\uff0d\u2500"), "-"
)


class MachineName(NamedTuple):
    """A machine as people and edges write it.

    Attributes:
        uscc: unified social credit code of the enterprise.
        site_no: site of the enterprise, as written.
        asset_no: number of the enterprise's ledger, as written.
    """

    uscc: str
    site_no: str
    asset_no: str

    @property
    def key(self) -> "MachineName":
        """The same name as it is compared; names with equal keys mean one machine."""
        return MachineName(self.uscc, key_of(self.site_no), key_of(self.asset_no))


def key_of(number: str) -> str:
    """A number as it is compared: ``br–001`` and ``ＢＲ-001`` are ``BR-001``.

    Compatible forms are one (NFKC), case does not matter, every dash is a hyphen, blanks around
    are dropped. What would be longer than a database holds is replaced by its hash.
    """
    if number.isascii():
        key = number.strip().upper()
    else:
        folded = unicodedata.normalize("NFKC", number.translate(_DASHES)).upper()
        key = unicodedata.normalize("NFKC", folded).translate(_DASHES).strip()
    return key if len(key) <= MAX_KEY else blake2b(key.encode(), digest_size=32).hexdigest()
