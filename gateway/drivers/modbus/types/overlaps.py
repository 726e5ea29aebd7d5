"""Registers that two tags of a profile take for different things. Pure."""

from collections.abc import Iterator, Sequence

from edge_config.loading.specs import Extent
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


def extent(address: Address) -> Extent:
    """Its bits; those of a register are counted as the register has them, the lowest first."""
    start, stop = address.address * address.table.bits, address.stop * address.table.bits
    if not address.is_part:
        return Extent(address.table, start, stop)
    first = address.bit or 0
    if address.span > 1:  # the register with the lowest bits comes last, unless it is turned
        word = first // 16
        is_turned = address.order is not None and address.order.swaps_words
        start += 16 * (word if is_turned else address.span - 1 - word)
        first -= 16 * word
    if address.type.size == 1:
        return Extent(address.table, start + first, start + first + 8)
    more = 0 if address.last_bit is None else address.last_bit - (address.bit or 0)
    return Extent(address.table, start + first, start + first + more + 1)
