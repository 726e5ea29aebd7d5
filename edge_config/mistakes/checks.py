"""Rules that concern more than one value of a configuration. Pure."""

from collections.abc import Iterable, Sequence
from typing import get_args

from edge_config.loading.resolved import ResolvedGroup
from edge_config.mistakes.problems import Loc, Place, Problem, one_of
from edge_config.mistakes.shape import declared
from edge_config.models.gateway import Mode
from edge_config.models.ledger_number import key_of
from edge_config.models.tag import TagConfig

_NUMERIC_ONLY = (
    *("scale", "offset", "minimum", "maximum", "no_value", "deadband"),
    *("write_minimum", "write_maximum"),
)
_DEFAULTS = {name: key.default for name, key in declared(TagConfig).items()}
_KINDS = {"STRING": "text", "BOOL": "true/false"}


def repeated(names: Iterable[tuple[str, Loc]], place: Place, of: str) -> list[Problem]:
    """A problem for each name that was used before."""
    seen: dict[str, Problem] = {}
    found = []
    for name, loc in names:
        here = place(loc, "")
        before = seen.setdefault(name, here)
        if before is not here:
            message = f"{name!r} is used twice {of}; first {where(before, here)}"
            found.append(place(loc, message))
    return found


def where(first: Problem, here: Problem) -> str:
    """Where ``first`` is, as seen from ``here``."""
    unit = "row" if first.table else "line"
    at = f"{unit} {first.line}"
    return f"on {at}" if first.file == here.file else f"in {first.file}, {at}"


def repeated_tags(tags: Iterable[tuple[TagConfig, Place]]) -> list[Problem]:
    """A problem for each tag of a profile whose name its machine has already."""
    first: dict[tuple[str, str], Problem] = {}
    found = []
    for tag, place in tags:
        here = place(("name",), "")
        before = first.setdefault((key_of(tag.asset_no or ""), tag.name), here)
        if before is not here:
            message = f"the machine has a tag {tag.name!r} already; first {where(before, here)}"
            found.append(place(("name",), message))
    return found


def numbers_only(tag: TagConfig, kind: str, place: Place) -> list[Problem]:
    """Scaling, range and deadband of a tag whose values are no numbers."""
    if kind not in _KINDS:
        return []
    wrong = [key for key in _NUMERIC_ONLY if getattr(tag, key) != _DEFAULTS[key]]
    return [
        place((key,), f"the values of this tag are {_KINDS[kind]}; only numbers have {key!r}")
        for key in wrong
    ]


def mode_allowed(
    mode: str | None, modes: Sequence[str], driver: str, place: Place
) -> list[Problem]:
    """Whether a driver can read a group in this way; words unknown to all are the model's."""
    if mode not in get_args(Mode) or mode in modes:
        return []
    return [place(("mode",), f"must be {one_of(modes)} for driver {driver!r}, not {mode!r}")]


def shared_machine(asset_no: str, groups: Sequence[ResolvedGroup], place: Place) -> list[Problem]:
    """Tags that meet because one names the device's own machine and another leaves it open."""
    tags = [tag.config for group in groups for tag in group.tags]
    own = {tag.name for tag in tags if tag.asset_no is None}
    mine = key_of(asset_no)
    named = [tag.name for tag in tags if key_of(tag.asset_no or "") == mine and tag.name in own]
    return [
        place(("asset_no",), f"the profile has two tags {name!r} of machine {asset_no!r}")
        for name in named
    ]
