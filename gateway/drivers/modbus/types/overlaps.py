"""Registers that two tags of a profile take for different things. Pure."""

from collections.abc import Iterator, Sequence

from gateway.drivers.modbus.address import Address


def doubtful(addresses: Sequence[Address]) -> Iterator[tuple[int, str]]:
    """Values that begin within another one and end behind it, or are the same registers otherwise.

    Parts of registers, and values that lie wholly within another, may well be meant: a number
    and its words, a text and its halves.
    """
    whole = [at for at, address in enumerate(addresses) if not address.is_part]
    last: Address | None = None
    for at in sorted(whole, key=lambda at: _place(addresses[at])):
        address = addresses[at]
        said = "" if last is None else _over(last, address)
        if said:
            yield at, f"{address} {said} {last}; correct one of the addresses or types"
        if last is None or last.space != address.space or address.stop > last.stop:
            last = address


def _place(address: Address) -> tuple[str, int, int]:
    return address.space, address.address, -address.stop


def _over(first: Address, second: Address) -> str:
    """How the second lies over the first; empty: it does not, or as may be meant."""
    if first.space != second.space or second.address >= first.stop:
        return ""
    if first.address < second.address and first.stop < second.stop:
        return "begins within"
    is_same = (first.address, first.stop) == (second.address, second.stop)
    return "is of the same registers as" if is_same and first != second else ""
