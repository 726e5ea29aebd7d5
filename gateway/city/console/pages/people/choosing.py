"""A password that somebody has just chosen, twice: whether it is taken, and its hash."""

import asyncio
from collections.abc import Mapping

from gateway.city.access.password_rules import normal, weakness
from gateway.web.access.passwords import hash_password


def refused(fields: Mapping[str, str], *names: str) -> str | None:
    """Why what was chosen is not taken, a key of the catalogue's ``password``; None: it is.

    Args:
        fields: ``password`` and ``again`` of a form.
        names: the user's own.
    """
    chosen = normal(fields.get("password", ""))
    if chosen != normal(fields.get("again", "")):
        return "differ"
    return weakness(chosen, *names)


async def hashed(fields: Mapping[str, str]) -> str:
    """The hash of what was chosen."""
    return await asyncio.to_thread(hash_password, normal(fields.get("password", "")))
