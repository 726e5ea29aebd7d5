"""Whether a meter answers, woken or not, and who answers in its place; for people."""

from collections.abc import AsyncIterator, Awaitable, Callable

from gateway.drivers.dlt645 import codec
from gateway.drivers.dlt645.config import Connection, port_of
from gateway.drivers.extras import Finding

Ask = Callable[[codec.Request, int], Awaitable[codec.Frame | None]]
"""Sends a request after so many bytes that wake the meter; None: no answer."""

ADDRESS_ITEM = 0x04000401
"""Address of the meter: every meter knows it, or refuses it, which is an answer, too."""


async def examine(
    ask: Ask, stranger: Callable[[], str], wanted: Connection, *, is_alone: bool
) -> AsyncIterator[Finding]:
    """Ask a meter, and if it is silent whoever is there; one request a finding.

    Args:
        ask: asks over the line.
        stranger: another meter that answered last in place of the one that was asked.
        wanted: the meter as it is configured.
        is_alone: no other meter of its line is configured; of several all would answer at once.

    Raises:
        NotConnectedError: the line is lost.
    """
    first = await _meter(ask, stranger, wanted, wanted.wake_up)
    yield first
    if first.is_ok:
        return
    if wanted.wake_up < len(codec.WAKE_UP):
        woken = await _meter(ask, stranger, wanted, len(codec.WAKE_UP))
        yield woken._replace(step="wake_up", is_ok=False if woken.is_ok else None, fault="")
    if is_alone:
        yield _other(await ask(codec.read_address(), len(codec.WAKE_UP)))


async def _meter(
    ask: Ask, stranger: Callable[[], str], wanted: Connection, wake_up: int
) -> Finding:
    tried = (
        f"meter {wanted.meter}, {_line(wanted)}, {wake_up} bytes FE before: read {ADDRESS_ITEM:08X}"
    )
    answer = await ask(codec.read(wanted.meter, ADDRESS_ITEM), wake_up)
    if answer is not None:
        is_refusal = answer.control & codec.REFUSED
        said = "it is there, and does not know this item" if is_refusal else "answered"
        return Finding("meter", True, tried, f"{said}, as meter {answer.meter}")
    if other := stranger():
        found = f"meter {other} answered instead"
        return Finding("meter", False, tried, found, "wrong_meter")
    return Finding("meter", False, tried, "no answer", "meter_silent")


def _other(answer: codec.Frame | None) -> Finding:
    tried = "whoever is alone on the line: read its address (13)"
    if answer is None:
        found = "no answer: nobody is there, or several answered at once"
        return Finding("other_meter", None, tried, found)
    found = f"meter {answer.meter} is there"
    return Finding("other_meter", False, tried, found, "wrong_meter")


def _line(wanted: Connection) -> str:
    port = port_of([wanted])
    if port is None:
        return "behind a serial server"
    return f"{port.baud} baud, {port.data_bits} data bits, parity {port.parity}"
