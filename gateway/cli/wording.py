"""Numbers, and texts of others, in the sentences of commands."""

from unicodedata import category

_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of characters that steer a terminal, or end a line."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 day``, ``1,200 days``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def visible(text: str) -> str:
    """A text of a machine, or of who sent a command: it stands on one line and steers nothing."""
    return "".join(
        one.encode("unicode_escape").decode() if category(one) in _UNSEEN else one for one in text
    )
