"""What becomes of a request by its answer, or without one."""

from gateway.identifier.irp.bodies import read_fault
from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.message import Message
from gateway.identifier.irp.octets import WireError
from gateway.identifier.native.administering import (
    AdministrationError,
    DistrustError,
    NotSentError,
)
from gateway.identifier.registering.native.codes import name_of, outcome_of
from gateway.identifier.registering.registry import Outcome, Result


def result_of(handle: str, answer: Message) -> Result:
    """What an answer comes to, in the server's own words."""
    if answer.rc == Rc.OK:
        return Result(handle, Outcome.OK)
    try:
        words = read_fault(answer.body).message
    except WireError:  # servers put what they like behind codes of their own
        words = ""
    code = name_of(answer.rc)
    return Result(handle, outcome_of(answer.rc), f"{code}: {words}" if words else code)


def outcome_of_failure(error: AdministrationError) -> Outcome:
    """What it comes to that there is no answer."""
    if isinstance(error, NotSentError):
        return Outcome.UNREACHABLE
    return Outcome.LOGIN if isinstance(error, DistrustError) else Outcome.UNKNOWN


def not_asked(error: AdministrationError) -> Result:
    """Of an identifier that comes after one whose request failed: nothing has happened."""
    outcome = Outcome.LOGIN if isinstance(error, DistrustError) else Outcome.UNREACHABLE
    return Result("", outcome, f"not asked for, because {error}")
