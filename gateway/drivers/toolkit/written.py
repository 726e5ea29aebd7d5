"""What the text forms of addresses have in common. Pure."""

import re
from typing import Any

_TYPE = re.compile(r"(?P<type>[a-z_]+\d*)(?:\[(?P<length>\d{1,4})\])?", re.ASCII)


def typed(word: str) -> dict[str, Any]:
    """The fields of ``float32`` or ``string[10]``: ``type`` and, if it stands there, ``length``.

    Raises:
        ValueError: the word has no such form.
    """
    match = _TYPE.fullmatch(word.lower())
    if match is None:
        raise ValueError(f"{word!r} is no type")
    length = {} if match["length"] is None else {"length": int(match["length"])}
    return {"type": match["type"], **length}
