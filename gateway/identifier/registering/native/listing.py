"""Identifiers of a prefix, as a server tells them natively: all at once, in many messages."""

import asyncio
from bisect import bisect_right
from contextlib import aclosing
from dataclasses import replace

from gateway.identifier.irp.bodies import read_list, write_handle
from gateway.identifier.irp.codes import Op, Rc
from gateway.identifier.irp.message import Message
from gateway.identifier.irp.octets import WireError
from gateway.identifier.native.administering import AdministrationError, Administrator
from gateway.identifier.registering.native.answers import outcome_of_failure, result_of
from gateway.identifier.registering.registry import Listing, Outcome, page_of

MOST, MOST_OCTETS = 500_000, 128 * 1024 * 1024
"""Identifiers of one prefix, and octets of all messages; a server that tells more is left."""
PATIENCE_S = 600.0
"""How long a server may take to tell all of them."""
PAGE = 1_000


class Listings:
    """Pages of what a server tells; all of it is kept until the last page was given.

    Args:
        server: is asked, and shown who asks.
    """

    def __init__(self, server: Administrator) -> None:
        self._server = server
        self._prefix, self._kept = "", list[str]()

    async def page(self, prefix: str, further: str) -> Listing:
        """A page; see ``Registry``.

        It begins behind the last identifier of the one before, in the order of capital letters, so
        that it is the right one also where the server has to be asked again.
        """
        if not further or prefix != self._prefix:
            told = await self._told(prefix)
            if isinstance(told, Listing):
                return told
            self._prefix, self._kept = prefix, told
        start = bisect_right(self._kept, further.upper(), key=str.upper)
        page = tuple(self._kept[start : start + PAGE])
        if start + PAGE < len(self._kept):
            return Listing(Outcome.OK, page, page[-1])
        self._prefix, self._kept = "", []
        return Listing(Outcome.OK, page)

    async def _told(self, prefix: str) -> list[str] | Listing:
        """All identifiers of a prefix, or why they are not known; a part of them is not told."""
        found: dict[str, str] = {}
        octets = 0
        asking = self._server.ask_on(Op.LIST_HANDLES, write_handle(f"0.NA/{prefix}"))
        try:
            async with asyncio.timeout(PATIENCE_S), aclosing(asking) as answers:
                async for answer in answers:
                    some = told_by(prefix, answer, has_begun=bool(found))
                    if some.outcome is not Outcome.OK:
                        return some
                    found.update((one.upper(), one) for one in some.handles)
                    octets += len(answer.body)
                    if len(found) > MOST or octets > MOST_OCTETS:
                        why = f"listing {prefix}: there are more than {MOST}, or very long ones"
                        return Listing(Outcome.UNKNOWN, message=why)
        except TimeoutError:
            why = f"listing {prefix}: it took longer than {PATIENCE_S:g} s"
            return Listing(Outcome.UNKNOWN, message=why)
        except AdministrationError as error:
            return Listing(outcome_of_failure(error), message=f"listing {prefix}: {error}")
        return [found[key] for key in sorted(found)]


def told_by(prefix: str, answer: Message, *, has_begun: bool) -> Listing:
    """What one message of a listing tells: some identifiers, or why it tells none.

    INVALID means that the server does not list, so one that has begun does not end so.

    Args:
        prefix: that was asked for.
        answer: the message.
        has_begun: identifiers were told before it.
    """
    if answer.rc != Rc.OK:
        result = result_of(prefix, answer)
        is_without = result.outcome is Outcome.INVALID or answer.rc == Rc.UNSUPPORTED
        outcome = Outcome.INVALID if is_without else result.outcome
        if has_begun and is_without:
            outcome = Outcome.UNKNOWN
        return Listing(outcome, message=f"listing {prefix}: {result.message}")
    try:
        handles = read_list(answer.body)
    except WireError as error:
        return Listing(Outcome.UNKNOWN, message=f"listing {prefix}: {error}")
    if answer.is_continued and not handles:
        return Listing(Outcome.UNKNOWN, message=f"listing {prefix}: an answer tells nothing")
    some = page_of(prefix, list(handles), "", "")
    return replace(some, outcome=Outcome.UNKNOWN) if some.outcome is Outcome.INVALID else some
