"""Which passwords are refused: what is short, common or the user's own name. Pure.

Nothing is asked of their composition, and none expires: NIST SP 800-63B, 5.1.1.2.
"""

import re
import unicodedata

SHORTEST = 12
LONGEST = 256
"""Characters; of a longer one, hashing would cost whoever does not know it too much."""
_FEWEST_DISTINCT = 5
_FEWEST_UNCOMMON = 4
"""Characters that must remain when everything common is taken out."""
_COMMON = (
    "1234567890", "0987654321", "123456789", "987654321", "12345678", "1234567", "123456",
    "654321", "12345", "1234", "123123", "112233", "111111", "000000", "666666", "888888",
    "147258369", "1qaz2wsx", "qwertyuiop", "qwerty", "asdfghjkl", "asdfgh", "zxcvbnm", "1q2w3e4r",
    "abcdefghijklmnopqrstuvwxyz", "abcdefghij", "abcdef", "abcd", "abc",
    "password", "passw0rd", "p@ssw0rd", "p@ssword", "pass", "passwort", "mima", "admin",
    "administrator", "root", "user", "guest", "test", "login", "welcome", "changeme", "change",
    "default", "secret", "letmein", "master", "dragon", "monkey", "football", "sunshine",
    "princess", "superman", "iloveyou", "woaini", "5201314", "1314520", "520", "woaiwojia",
    "qulink", "quzhou", "zhejiang", "console", "gateway", "networking",
)  # fmt: skip
"""What most guesses are made of, the longer before what they contain. From public lists of leaked
passwords, and the words that stand on this console."""


def normal(password: str) -> str:
    """A password as it is hashed: one spelling for what looks the same (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, *names: str) -> str | None:
    """Why a password is refused: a key of the catalogue's table ``password``; None: it is not.

    Args:
        password: as :func:`normal` makes it.
        names: the user's own.
    """
    if len(password) < SHORTEST:
        return "short"
    if len(password) > LONGEST:
        return "long"
    plain = password.casefold()
    for own in names:
        if own:
            plain = plain.replace(own.casefold(), "")
    if len(plain) < len(password) and len(plain) < SHORTEST // 2:
        return "own"
    return "common" if _is_common(plain) else None


def _is_common(plain: str) -> bool:
    if len(set(plain)) < _FEWEST_DISTINCT:
        return True
    for word in _COMMON:
        plain = plain.replace(word, "")
    return len(re.sub(r"[\W\d_]", "", plain)) < _FEWEST_UNCOMMON and len(plain) < SHORTEST // 2
