"""What a certificate says of what is kept, of the store and of backups, in both languages."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def words() -> dict[str, Any]:
    """``kept``: a list; ``stores``: by type; ``late``, ``beside``, ``backups``. In zh and en."""
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
