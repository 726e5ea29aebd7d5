"""What is wrong with identifiers, seen from outside: by what was shown, and what the node says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

WITHDRAWN = "误录撤销"
"""What a record says of a machine that there never was."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the node tells of an identifier.

    Attributes:
        machine: asset number in its record; empty: it is told to nobody.
        is_withdrawn: the record says so.
    """

    machine: str = ""
    is_withdrawn: bool = False


@dataclass(slots=True)
class Witness:
    """What people have seen confirmed, and may have printed, by now.

    Attributes:
        shown: by machine, its identifier.
        owners: by identifier, its machine.
        findings: what may never happen, in words.
    """

    shown: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def see(self, confirmed: Iterable[tuple[str, str]]) -> None:
        """Look at what is shown now.

        Args:
            confirmed: machines and their identifiers.
        """
        for machine, handle in confirmed:
            before = self.shown.setdefault(machine, handle)
            if before != handle:
                self._find(f"changed: {machine} had {before} and has {handle}")
            owner = self.owners.setdefault(handle.upper(), machine)
            if owner != machine:
                self._find(f"twice: {handle} was shown for {owner} and for {machine}")

    def _find(self, finding: str) -> None:
        if finding not in self.findings:  # it is seen again and again
            self.findings.append(finding)


def judge(
    ledger: Mapping[str, bool],
    confirmed: Mapping[str, str],
    node: Mapping[str, Told],
) -> list[str]:
    """What is wrong once all is worked off, in words.

    Args:
        ledger: machines that were ever imported; whether each was withdrawn.
        confirmed: by machine, the identifier that the city says the node has confirmed.
        node: of every identifier that the node ever took or the city has, what it tells.
    """
    found = [
        f"lacking: {machine} has no identifier"
        for machine, is_withdrawn in ledger.items()
        if not is_withdrawn and machine not in confirmed
    ]
    for machine, handle in confirmed.items():
        told = node.get(handle, Told())
        found += _wrong(machine, handle, told, is_withdrawn=ledger.get(machine, False))
    of_a_machine = set(confirmed.values())
    return found + [
        f"left over: {handle} is told as {told.machine}'s, which has {confirmed.get(told.machine)}"
        for handle, told in node.items()
        if handle not in of_a_machine and told.machine and not told.is_withdrawn
    ]


def _wrong(machine: str, handle: str, told: Told, *, is_withdrawn: bool) -> list[str]:
    if told.machine and told.machine != machine:
        return [f"another's: {handle} of {machine} is told as {told.machine}'s"]
    if is_withdrawn:
        is_told = bool(told.machine) and not told.is_withdrawn
        return [f"not withdrawn: {handle} of {machine} is still told"] if is_told else []
    if not told.machine:
        return [f"lost: {handle} of {machine} is told to nobody"]
    return [f"withdrawn: {handle} of {machine}, which is there"] if told.is_withdrawn else []
