"""What is wrong with a row of a sheet, in sentences that say what to do."""

from collections.abc import Iterator

from gateway.city.identifiers.sheets.held import HeldMachine
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import said
from gateway.identifier.codes.classify import classify
from gateway.identifier.codes.handle import Handle, HandleError

_EMPTY = "empty the cell and one is issued"


def no_machine(name: MachineName) -> str:
    """The ledger has no such machine."""
    return f"{said(name)} is no machine of the ledger; import it with `qulink ledger import` first"


def withdrawn(name: MachineName) -> str:
    """There never was such a machine."""
    return (
        f"{said(name)} was withdrawn as a mistake and gets no identifier; delete the row, or bring "
        "the machine back with `qulink ledger import`"
    )


def no_code(name: MachineName) -> str:
    """Its enterprise has no part of the prefix."""
    return (
        f"the enterprise {name.uscc} has no 标识企业代码, which the secondary node allots; import "
        "it with the ledger's table of enterprises"
    )


def of_code(code: str, machine: HeldMachine) -> Iterator[str]:
    """What is wrong with the code of a sheet for a machine, by what the city knows of both."""
    try:
        handle = Handle.parse(code)
    except HandleError:
        yield f"{code!r} is no identifier of the form 88.999.CODE/number{_kind(code)}; {_EMPTY}"
        return
    if machine.handle and handle.key != Handle.parse(machine.handle).key:
        yield _differing(code, machine)
    elif machine.prefix and handle.prefix.upper() != machine.prefix.upper():
        yield (
            f"{code} has the prefix {handle.prefix}, and this enterprise registers below "
            f"{machine.prefix} here: it is another node's or another enterprise's; {_EMPTY}"
        )


def _kind(code: str) -> str:
    """What it may be instead."""
    found = next((one for one in classify(code) if one.is_valid), None)
    return f" (it may be a code of {found.system.value})" if found else ""


def _differing(code: str, machine: HeldMachine) -> str:
    if machine.is_confirmed:
        return (
            f"{code} stands here and the node has confirmed {machine.handle} for this machine, "
            "which stays for ever; correct the cell, and the label if it has this one"
        )
    return (
        f"{code} stands here and the machine is being given another identifier; ask again when "
        "the node has confirmed that, `qulink id status` tells"
    )


def of_another(code: str, owner: MachineName) -> str:
    """It is another machine's."""
    return (
        f"{code} is the identifier of {said(owner)} and never another machine's; correct the cell, "
        "or empty it and one is issued"
    )


def foreign_record(code: str) -> str:
    """The node holds it for something else."""
    return (
        f"the node holds {code} for something that is not this machine (enterprise, site and asset "
        f"number are compared), and it is never overwritten; {_EMPTY}"
    )


def not_asked(code: str, why: str) -> str:
    """Nobody could say whose it is."""
    return f"the node could not be asked whose {code} is, so it is not adopted: {why}; ask again"
