"""Parameters of a device: what ``{name}`` in its profile's addresses stands for. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from edge_config.mistakes.problems import Place, Problem, hint

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def placeholders(address: Any) -> set[str]:
    """Names in braces in the text, or in the texts of the mapping, of an address."""
    if isinstance(address, str):
        return set(_PLACEHOLDER.findall(address))
    if isinstance(address, dict):
        return {name for value in address.values() for name in placeholders(value)}
    return set()


def filled(address: Any, parameters: Mapping[str, str]) -> Any:
    """The address with every name in braces replaced; unknown names stay."""
    if isinstance(address, str):
        return _PLACEHOLDER.sub(lambda found: parameters.get(found[1], found[0]), address)
    if isinstance(address, dict):
        return {key: filled(value, parameters) for key, value in address.items()}
    return address


def mismatch(
    wanted: Iterable[str], given: Mapping[str, str], profile: str, place: Place
) -> list[Problem]:
    """A problem for each name without a value and for each value without a name.

    Args:
        wanted: names in the profile's addresses.
        given: the device's parameters.
        profile: its name, for messages.
        place: where the device stands.
    """
    wanted = set(wanted)
    missing = [
        place(("parameters", name), f"required, but missing; profile {profile!r} has {{{name}}}")
        for name in sorted(wanted - given.keys())
    ]
    return missing + [
        place(("parameters", name), f"profile {profile!r} has no {{{name}}}{hint(name, wanted)}")
        for name in given
        if name not in wanted
    ]
