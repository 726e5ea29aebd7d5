"""Requests to a node, with a login that is renewed when it ends, and what answers mean."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from edge_config.models.base import Secret, SecretUnavailableError
from gateway.identifier.calling import Caller, Fate, Reply
from gateway.identifier.native.keys import KeyFileError, read_private_key
from gateway.identifier.registering.registry import Listing, Outcome


@dataclass(frozen=True, slots=True)
class Told:
    """What a node has said, or why it has said nothing.

    Attributes:
        outcome: what it comes to.
        message: the node's words, or ours.
        body: JSON of the answer; None without one.
        status: of HTTP; 0: there is no answer.
    """

    outcome: Outcome
    message: str = ""
    body: Any = None
    status: int = 0


class LoginError(Exception):
    """There is no login.

    Args:
        told: why.
    """

    def __init__(self, told: Told) -> None:
        super().__init__(told.message)
        self.told = told


@contextmanager
def secret_needed() -> Iterator[None]:
    """Within, a secret that cannot be read or used is a LoginError."""
    try:
        yield
    except (SecretUnavailableError, KeyFileError) as error:
        raise LoginError(Told(Outcome.LOGIN, str(error))) from error


def private_key(key: Secret, passphrase: Secret | None) -> RSAPrivateKey:
    """The private key of a configuration; takes milliseconds.

    Raises:
        SecretUnavailableError: it cannot be read.
        KeyFileError: it is none, or its passphrase another.
    """
    password = passphrase.reveal().encode() if passphrase is not None else None
    return read_private_key(key.reveal().encode(), password)


class Login(Protocol):
    """What shows a node who asks."""

    async def header(self) -> dict[str, str]:
        """What goes with a request.

        Raises:
            LoginError: the node refuses, or cannot be asked.
        """
        ...

    def forget(self, header: Mapping[str, str]) -> bool:
        """What was shown is no longer taken; whether another login may be."""
        ...


class Asker:
    """Requests of one dialect to one node.

    Args:
        caller: the node.
        login: who asks.
        meaning: what an answer with the dialect's JSON means; None where there is none of it.
    """

    def __init__(
        self, caller: Caller, login: Login, meaning: Callable[[Reply], Told | None]
    ) -> None:
        self._caller = caller
        self._login = login
        self._meaning = meaning

    async def login(self) -> Told:
        """Show who asks, if that is not done with every request."""
        try:
            await self._login.header()
        except LoginError as error:
            return error.told
        return Told(Outcome.OK)

    async def ask(self, method: str, path: str, **request: Any) -> Told:
        """One request; a login that has ended is renewed once.

        Args:
            method: of HTTP.
            path: behind the node's address, quoted.
            request: ``params`` and ``json``, as httpx takes them.
        """
        for _ in ("with the login as it is", "after a new one"):
            try:
                header = await self._login.header()
            except LoginError as error:
                return error.told
            reply = await self._caller.call(method, path, headers=header, **request)
            told = understood(reply, self._meaning, f"{method} {self._caller.url}{path}")
            if told.outcome is not Outcome.LOGIN or not self._login.forget(header):
                return told
        return told


def understood(reply: Reply, meaning: Callable[[Reply], Told | None], what: str) -> Told:
    """What a reply comes to; ``what`` was asked stands before every message but that of success."""
    told = meaning(reply) if reply.fate is Fate.ANSWERED else None
    if told is None:
        told = _unsaid(reply)
    if told.outcome is Outcome.OK:
        return told
    status = reply.status if reply.fate is Fate.ANSWERED else 0
    return Told(told.outcome, f"{what}: {told.message}", told.body, status)


_NO_SERVICE = frozenset(
    {httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED, httpx.codes.NOT_IMPLEMENTED}
)


def no_page(told: Told) -> Listing:
    """The listing of an answer that has no page: INVALID where it says that there is no listing."""
    says_none = told.outcome in (Outcome.INVALID, Outcome.NOT_FOUND) or told.status in _NO_SERVICE
    is_another = told.status == httpx.codes.OK and told.body is None  # some page for people
    return Listing(
        Outcome.INVALID if says_none or is_another else told.outcome, message=told.message
    )


_UNSENT = frozenset(
    {
        httpx.codes.MOVED_PERMANENTLY,
        httpx.codes.FOUND,
        httpx.codes.TEMPORARY_REDIRECT,
        httpx.codes.PERMANENT_REDIRECT,
        httpx.codes.NOT_FOUND,
        httpx.codes.METHOD_NOT_ALLOWED,
        httpx.codes.MISDIRECTED_REQUEST,
    }
)
"""Without a node's own word these are of a proxy, or of another server: the address is wrong."""
_STATUSES = {
    httpx.codes.UNAUTHORIZED: Outcome.LOGIN,
    httpx.codes.PROXY_AUTHENTICATION_REQUIRED: Outcome.LOGIN,
    httpx.codes.FORBIDDEN: Outcome.DENIED,
    httpx.codes.TOO_MANY_REQUESTS: Outcome.BUSY,
    httpx.codes.SERVICE_UNAVAILABLE: Outcome.BUSY,
}


def _unsaid(reply: Reply) -> Told:
    """What an exchange without a node's own word comes to."""
    if reply.fate is Fate.UNSENT:
        return Told(Outcome.UNREACHABLE, reply.why)
    if reply.fate is not Fate.ANSWERED:
        return Told(Outcome.UNKNOWN, reply.why)
    status = f"HTTP {reply.status}"
    if reply.status in _UNSENT:
        place = reply.headers.get("location", "")
        where = f" to {place[:200]!r}" if place else ""
        return Told(Outcome.UNREACHABLE, f"{status}{where}: is the node's address right?")
    if reply.status in _STATUSES:
        return Told(_STATUSES[httpx.codes(reply.status)], status)
    if httpx.codes.is_client_error(reply.status):
        return Told(Outcome.INVALID, status)
    return Told(Outcome.UNKNOWN, f"{status}, and no answer that is understood")


def nothing_done(told: Told) -> Told:
    """A login that may have succeeded has done nothing to an identifier: it may be asked again."""
    is_unknown = told.outcome is Outcome.UNKNOWN
    return Told(Outcome.UNREACHABLE if is_unknown else told.outcome, told.message)


class Meanings:
    """What codes and messages of a dialect mean.

    Args:
        codes: outcomes by code.
        words: outcomes by a part of a message, which say more than the code.
    """

    def __init__(self, codes: Mapping[int, Outcome], words: Mapping[str, Outcome]) -> None:
        self._codes = codes
        self._words = words

    def of(self, code: object, message: str) -> Outcome:
        """What a code with a message means; one that is not known may be anything."""
        known = self._codes.get(code) if type(code) is int else None
        if known is Outcome.OK:
            return known
        said = next((self._words[word] for word in self._words if word in message), None)
        return said or known or Outcome.UNKNOWN


def told_of(meanings: Meanings, code: object, message: object, body: Any) -> Told:
    """An answer in a dialect's form."""
    text = str(message or "")[:500]
    return Told(meanings.of(code, text), f"{text} (code {code})".strip(), body)


def meanings(
    codes: Mapping[int, Outcome],
    words: Mapping[str, Outcome],
    own_codes: Mapping[int, str],
    own_words: Mapping[str, str],
) -> Meanings:
    """A dialect's meanings with those that a configuration gives instead."""
    return Meanings(
        {**codes, **{code: Outcome(word) for code, word in own_codes.items()}},
        # Its own words are looked for first.
        {**{part: Outcome(word) for part, word in own_words.items()}, **_without(words, own_words)},
    )


def _without(words: Mapping[str, Outcome], others: Mapping[str, str]) -> dict[str, Outcome]:
    return {part: outcome for part, outcome in words.items() if part not in others}
