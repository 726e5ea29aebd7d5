"""What codes of the native protocol come to. Pure."""

from collections.abc import Mapping

from gateway.identifier.irp.codes import Rc
from gateway.identifier.registering.registry import Outcome

_CODES: Mapping[Outcome, tuple[Rc, ...]] = {
    Outcome.OK: (Rc.OK,),
    Outcome.EXISTS: (Rc.HANDLE_EXISTS,),
    Outcome.NOT_FOUND: (Rc.HANDLE_NOT_FOUND,),
    Outcome.INVALID: (Rc.INVALID_HANDLE, Rc.INVALID_VALUE, Rc.PROTOCOL_ERROR),
    Outcome.DENIED: (
        # The operator must allow it, or the configuration name another server.
        Rc.INVALID_ADMIN,
        Rc.NOT_PERMITTED,
        Rc.UNSUPPORTED,
        Rc.READ_ONLY,
        Rc.NOT_RESPONSIBLE,
        Rc.SERVICE_REFERRAL,
        Rc.PREFIX_REFERRAL,
        Rc.REGISTRATION_LIMIT,
        Rc.PREFIX_LIMIT,
    ),
    Outcome.LOGIN: (Rc.AUTHENTICATION_FAILED, Rc.INVALID_CREDENTIAL, Rc.AUTHENTICATION_ERROR),
    Outcome.BUSY: (
        Rc.BUSY,
        Rc.RECURSION_LIMIT,
        Rc.SITE_OUT_OF_DATE,
        Rc.AUTHENTICATION_TIMEOUT,
        Rc.SESSION_TIMEOUT,
        Rc.SESSION_FAILED,
        Rc.SESSION_KEY_INVALID,
        Rc.SESSION_SETUP_INVALID,
        Rc.SESSION_MESSAGE_REFUSED,
        Rc.SESSION_MESSAGE_INVALID,
        Rc.CHANNEL_ERROR,
        Rc.CLIENT_TIMEOUT,
    ),
    Outcome.QUOTA: (Rc.DAILY_LIMIT,),
}
OUTCOMES = {int(code): outcome for outcome, codes in _CODES.items() for code in codes}
"""By code; a code that is not here is UNKNOWN."""


def outcome_of(rc: int) -> Outcome:
    """What an answer comes to; UNKNOWN for a fault inside the server, or a code that is not known.

    Values that are there or not against expectation (200, 201) are UNKNOWN, too: somebody else
    changes the same handle, and what it holds now has to be read.
    """
    return OUTCOMES.get(rc, Outcome.UNKNOWN)


def name_of(rc: int) -> str:
    """A code in words."""
    try:
        return f"{Rc(rc).name.lower().replace('_', ' ')} ({rc})"
    except ValueError:
        return f"code {rc}"
