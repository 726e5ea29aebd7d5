"""Values as Python's, and which texts can travel. Pure."""

from typing import Any

import numpy as np
import numpy.typing as npt

from gateway.core.schema import Column


def plain_values(column: Column) -> list[Any]:
    """A column as Python's numbers and texts, to be shown or written.

    A float32 becomes the number that its shortest text means: 233.1, and not 233.10000610351562.
    """
    if column.dtype != np.float32:
        return list(column.tolist())
    return [float(str(value)) for value in column]


MAX_TEXT_BYTES = 16_384
"""A longer text, in UTF-8, loses its end and is UNCERTAIN: no single value may fill a message."""

_SURELY_SHORT = MAX_TEXT_BYTES // 4
"""A text of so many characters is not longer, whatever they are."""


def shorten(column: Column) -> tuple[Column, npt.NDArray[np.bool_] | None]:
    """Cut texts that are too long between two characters.

    Returns:
        The column itself if none is; else a copy, and which of its texts were cut.
    """
    odd = [
        at for at, text in enumerate(column) if isinstance(text, str) and len(text) > _SURELY_SHORT
    ]
    # Nearly all texts are short: only these are encoded to be measured.
    bodies = {at: column[at].encode("utf-8", "replace") for at in odd}
    long = [at for at, body in bodies.items() if len(body) > MAX_TEXT_BYTES]
    if not long:
        return column, None
    column, cut = column.copy(), np.zeros(len(column), np.bool_)
    for at in long:
        column[at] = bodies[at][:MAX_TEXT_BYTES].decode("utf-8", "ignore")
        cut[at] = True
    return column, cut


def is_text(value: object) -> bool:
    """Whether a value can travel as text; one that cannot would spoil the frame for all others."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a character
        return False
    return True
