"""Whether a unit answers, in which framing, which functions it has, and who answers instead."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.drivers.extras import Finding
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.asking import Asking
from gateway.drivers.modbus.codec import Answer, Table
from gateway.drivers.modbus.config import Unit
from gateway.drivers.modbus.reach.leaving_alone import asking_of

if TYPE_CHECKING:
    from gateway.drivers.modbus.driver import ModbusDriver
    from gateway.drivers.modbus.link import ModbusLink

USUAL_UNITS = (1, 255, 0)
"""Who answers where there is no gateway; one of them is asked where the configured unit is silent.
Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 4.4.1.2 (255 and 0)."""

_FAULTS = {
    codec.SILENT: "silent",
    codec.GATEWAY_PATH: "behind_gateway",
    codec.GATEWAY_TARGET: "behind_gateway",
    codec.CLOSED: "connection_ended",
    codec.WRONG: "wrong_answer",
}


async def examine(link: "ModbusLink", user: "ModbusDriver", unit: Unit) -> AsyncIterator[Finding]:
    """Ask a unit one thing after the other; one request a finding.

    Args:
        link: over which it is reached.
        user: its driver, connected.
        unit: the unit as it is configured.

    Raises:
        NotConnectedError: the connection is lost.
    """
    first, said = await _asked(link, user, unit, Table.HOLDING)
    yield Finding("unit", _is_answer(first), _request(unit, Table.HOLDING), said, _fault(first))
    if _is_answer(first):
        yield _function(unit, Table.HOLDING, first)
        for table in (Table.INPUT, Table.COIL, Table.DISCRETE):
            answer, _ = await _asked(link, user, unit, table)
            yield _function(unit, table, answer)
        return
    for number in USUAL_UNITS:
        if number != unit.number:
            other = replace(unit, number=number)
            answer, said = await _asked(link, user, other, Table.HOLDING)
            wrong = "wrong_unit" if _is_answer(answer) else ""
            found = f"{said}: unit {number} is there" if wrong else said
            is_ok = False if wrong else None
            yield Finding("other_unit", is_ok, _request(other, Table.HOLDING), found, wrong)


async def _asked(
    link: "ModbusLink", user: "ModbusDriver", unit: Unit, table: Table
) -> tuple[Answer, str]:
    asking = asking_of(link, user, unit)
    try:
        (answer,) = await asking.ask([codec.read(table, 0, 1)], is_known=False)
        return answer, _said(answer, asking)
    finally:
        asking.end()


def _said(answer: Answer, asking: Asking) -> str:
    framing = asking.channel.framing if asking.channel else ""
    if isinstance(answer, bytes):
        return f"answered, in {framing} framing"
    if answer in codec.LOST:
        return asking.loss
    if answer in codec.UNANSWERED:
        return "no answer"
    return f"exception {answer} ({codec.reason_for(answer).code}), in {framing} framing"


def _is_answer(answer: Answer) -> bool:
    """Whether the unit itself has said something; a refusal is an answer."""
    return isinstance(answer, bytes) or answer not in codec.NO_RESPONSE | codec.UNANSWERED


def _fault(answer: Answer) -> str:
    return "" if isinstance(answer, bytes) else _FAULTS.get(answer, "")


def _request(unit: Unit, table: Table) -> str:
    function: codec.Function = codec.READ_FUNCTION[table]
    return f"unit {unit.number}, function {function:d} ({table}), address 0, count 1"


def _function(unit: Unit, table: Table, answer: Answer) -> Finding:
    tried = _request(unit, table)
    if isinstance(answer, bytes):
        return Finding("function", True, tried, "answered")
    if answer == codec.ILLEGAL_ADDRESS:
        return Finding("function", True, tried, "it has the function, and no address 0")
    found = {codec.ILLEGAL_FUNCTION: "it has not this function"}.get(answer, f"exception {answer}")
    return Finding("function", None, tried, "no answer" if answer in codec.UNANSWERED else found)
