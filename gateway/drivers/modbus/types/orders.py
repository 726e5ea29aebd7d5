"""Order of the bytes of a value on the wire. Pure."""

from enum import StrEnum


class Order(StrEnum):
    """Order of the bytes of a value on the wire; A is the most significant byte.

    For other widths the letters name the same two rules: whether the words, and whether the bytes
    within a word, are turned round. For 16 bits and strings only the latter exists.
    """

    ABCD = "ABCD"
    BADC = "BADC"
    CDAB = "CDAB"
    DCBA = "DCBA"

    @property
    def swaps_bytes(self) -> bool:
        """Whether the low byte of a register comes first."""
        return self in {Order.BADC, Order.DCBA}

    @property
    def swaps_words(self) -> bool:
        """Whether the low register comes first."""
        return self in {Order.CDAB, Order.DCBA}


def permutation(order: Order, size: int) -> list[int]:
    """Where each byte of a big-endian value stands on the wire. Its own inverse.

    Args:
        order: order on the wire.
        size: bytes of the value, even.
    """
    places = list(range(size))
    if order.swaps_words:
        places = [size - 2 - place + 2 * (place & 1) for place in places]
    if order.swaps_bytes:
        places = [place ^ 1 for place in places]
    return places


def reorder(body: bytes, order: Order) -> bytes:
    """Big-endian bytes to wire order, or back."""
    return bytes(body[place] for place in permutation(order, len(body)))


def swapped_pairs(body: bytes, order: Order) -> bytes:
    """Turn the two bytes of every register round, if the order says so."""
    if not order.swaps_bytes:
        return body
    turned = bytearray(len(body))
    turned[::2], turned[1::2] = body[1::2], body[::2]
    return bytes(turned)
