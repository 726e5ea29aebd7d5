"""What is wrong with an application for a prefix, or with a user. Pure.

In English; pages find it again in ``gateway/web/catalog/said/node.toml`` and say it in Chinese.
"""

import re

from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.rules import MAX_PREFIX

_PREFIX = re.compile(r"[0-9A-Za-z]{1,20}(\.[0-9A-Za-z]{1,20})+")
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._@/-]{0,63}")

DONE = "done"
NO_ENTERPRISE = "only a reviewer applies for another enterprise; name the enterprise"
NOT_REVIEWER = "only a reviewer or administrator decides on prefixes"
NOT_ADMINISTRATOR = "only an administrator keeps users"
NO_PREFIX = "nobody has applied for this prefix"
NO_SITE = "that is no HS_SITE with a server"
NO_USER = "there is no user or application of this name"
NAME_TAKEN = "there is, or was, a user or application of this name"
BAD_NAME = "a name has 1 to 64 characters: letters, digits and . _ @ / -"
BAD_ENTERPRISE = "a user of the role enterprise, and no other, needs an enterprise"
NOT_OWN_PLACE = "keys stand below prefixes of their user's enterprise"
NO_TEXT = "a text has no zero and no half of a character; write it again"
NO_REASON = "a refusal or suspension needs a reason"


def prefix_problem(prefix: str, own: str) -> str | None:
    """What is wrong with a prefix that is applied for; None: nothing.

    Args:
        prefix: as given.
        own: of the node.
    """
    if len(prefix) > MAX_PREFIX or not _PREFIX.fullmatch(prefix):
        return f"{prefix!r} is no prefix; it has the form {own}.QZ01"
    if not prefix.upper().startswith(f"{own.upper()}."):
        return f"{prefix} is not below {own}, the prefix of this node"
    return None


def prefix_taken(prefix: str) -> str:
    """The message for a prefix that cannot be applied for."""
    return f"{prefix}, or a prefix above or below it, is allotted or applied for"


def wrong_state(prefix: str, state: State) -> str:
    """The message for a decision that does not follow from a prefix's state."""
    return {
        State.APPLIED: f"the prefix {prefix} still waits for a decision",
        State.ALLOTTED: f"the prefix {prefix} is allotted already",
        State.REFUSED: f"the prefix {prefix} was refused; it can be applied for again",
        State.SUSPENDED: f"the prefix {prefix} is suspended",
    }[state]


def short_password(least: int) -> str:
    """The message for a password that can be guessed."""
    return f"a password has at least {least} characters"


def is_name(name: str) -> bool:
    """Whether users and applications may have a name."""
    return _NAME.fullmatch(name) is not None
