"""What people call the tags of a device: by name, and by machine where several have the name."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from edge_config.loading.resolved import ResolvedDevice, ResolvedTag


class Called(NamedTuple):
    """A tag, and what it is called: ``speed``, or ``PR-2/speed`` if other machines have one."""

    name: str
    tag: ResolvedTag

    def renamed(self) -> ResolvedTag:
        """The tag under what it is called."""
        return replace(self.tag, config=replace(self.tag.config, name=self.name))


def of_machine(machine: str, tag: str) -> str:
    """A tag with its machine before it; names of tags have no ``/``."""
    return f"{machine}/{tag}"


def all_called(device: ResolvedDevice) -> list[Called]:
    """Its tags in the order of the configuration; no two are called the same."""
    tags = [tag for group in device.groups for tag in group.tags]
    often = Counter(tag.config.name for tag in tags)
    return [
        Called(name if often[name] == 1 else of_machine(_machine(device, tag), name), tag)
        for tag in tags
        for name in (tag.config.name,)
    ]


def meant(device: ResolvedDevice, word: str) -> list[Called]:
    """The tags that a word may mean: none, one, or several if it names no machine."""
    return [
        one
        for one in all_called(device)
        if word in {one.tag.config.name, of_machine(_machine(device, one.tag), one.tag.config.name)}
    ]


def several(device: ResolvedDevice, word: str, found: Sequence[Called]) -> str:
    """What to say where a word means several tags."""
    names = " or ".join(one.name for one in found)
    return (
        f"several tags of device {device.config.id} are called {word!r}, each of another machine; "
        f"write {names}"
    )


def _machine(device: ResolvedDevice, tag: ResolvedTag) -> str:
    return tag.config.asset_no or device.config.asset_no
