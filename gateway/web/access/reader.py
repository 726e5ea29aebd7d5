"""Who reads a page, as far as the frame of every page has to know."""

from collections.abc import Callable
from dataclasses import dataclass

NOT_ALLOWED = "not for this role"
"""Detail of a refusal (403) that is no foreign form's."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page, for its frame.

    Attributes:
        name: by which the reader is known here.
        may: whether an address of the navigation is for the reader.
        scope: what part of everything the reader sees, as the console's own macros write it; None:
            all of it.
    """

    name: str
    may: Callable[[str], bool]
    scope: object | None = None
