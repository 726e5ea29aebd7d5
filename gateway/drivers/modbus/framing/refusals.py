"""Why an answer is refused, in words that name the quirk which would let it through. Pure."""

from gateway.drivers.modbus.framing.quirks import Quirk, Quirks


def advice(quirk: Quirk) -> str:
    """What a refusal adds where a quirk would let the answer through."""
    return f"; if this device always does so, write quirks: [{quirk}]"


def not_open(transaction: bytes) -> str:
    """Say that nobody asked for an answer with this transaction id (two bytes)."""
    what = f"an answer to transaction {transaction.hex()}, which is not open"
    return what + advice(Quirk.ANY_TRANSACTION)


def other_order(transaction: bytes) -> str:
    """Say that the answer to a later request came before those to earlier ones."""
    return f"the answer to transaction {transaction.hex()} came before those asked for first"


def no_frame(came: bytes, quirk: Quirk | None) -> str:
    """Say that what came is no Modbus TCP at all, ``quirk`` being what it may be instead."""
    what = f"{len(came)} bytes came that are no Modbus TCP: {came[:16].hex()}"
    return what + advice(quirk or Quirk.TRAILING_BYTES)


def forgiven(got: bytes, head: bytes, quirks: Quirks) -> bytes:
    """What came, from the protocol id on, with those fields right that may be wrong."""
    length = head[2:4] if Quirk.ANY_LENGTH in quirks else got[2:4]
    unit = head[4:5] if Quirk.ANY_UNIT in quirks else got[4:5]
    return got[:2] + length + unit + got[5:]


# What is wrong is looked for in this order: the function says what the count should be, the count
# what the length should be.
_FIELDS: tuple[tuple[str, int, int, Quirk | None], ...] = (
    ("function", 5, 6, None),
    ("unit", 4, 5, Quirk.ANY_UNIT),
    ("byte count", 6, 7, None),
    ("length", 2, 4, Quirk.ANY_LENGTH),
    ("protocol id", 0, 2, None),
)


def difference(head: bytes, refusal: bytes, got: bytes) -> str:
    """Say how an answer differs from the right one; all from the protocol id on."""
    right = refusal if got[5] == refusal[5] else head
    for name, start, stop, quirk in _FIELDS:
        is_there = stop <= len(right) and (name != "byte count" or len(head) == stop)
        if not is_there or got[start:stop] == right[start:stop]:
            continue
        came, wanted = (int.from_bytes(one[start:stop], "big") for one in (got, right))
        forgives = Quirk.PADDED_DATA if name == "byte count" and came > wanted else quirk
        return f"{name} {came} instead of {wanted}" + (advice(forgives) if forgives else "")
    return f"content {got[6 : len(right)].hex()} instead of {right[6:].hex()}"
