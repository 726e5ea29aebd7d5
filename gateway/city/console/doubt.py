"""What a status byte means to whoever looks at a value: how far it can be trusted, and why."""

from typing import Literal

from gateway.core.status import GOOD, Reason, is_replay, reason_of
from gateway.web.i18n import Language, cause_words, text

Trust = Literal["good", "uncertain", "replayed", "doubted"]
"""GOOD; UNCERTAIN but fresh; an old or invented value; a value whose time is in doubt."""


def trust_of(code: int) -> Trust:
    """How far a value with this status byte can be trusted."""
    if code == GOOD:
        return "good"
    if is_replay(code):
        return "replayed"
    return "doubted" if reason_of(code) is Reason.CLOCK_DOUBT else "uncertain"


def doubt_words(language: Language, code: int) -> str:
    """A status byte in words: ``good``, ``repeated old value · server stands still``."""
    trust = trust_of(code)
    verdict = text(language, f"trust.{trust}")
    reason = reason_of(code)
    if trust in ("good", "doubted") or reason is Reason.NONE:  # the reason says no more
        return verdict
    return f"{verdict} · {cause_words(language, reason.code)}"
