"""Requests of a unit that needs a pause after each answer; others use the line meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from gateway.drivers.modbus.asking import Asking
from gateway.drivers.modbus.channel import Channel
from gateway.drivers.modbus.codec import NO_RESPONSE, NOT_SENT, Answer, Request
from gateway.drivers.modbus.config import Unit

if TYPE_CHECKING:
    from gateway.drivers.modbus.driver import ModbusDriver
    from gateway.drivers.modbus.link import ModbusLink

Away = Callable[[float], Awaitable[None]]
"""What is awaited for so many seconds; see ``gateway.drivers.extras.LendingDriver``."""


class PausingAsking(Asking):
    """As :class:`Asking`, one request after the other; in the pauses between it holds nothing.

    That a unit is not asked too soon is seen to where requests are sent (``Quiet``); this is so
    that nobody else has to wait for it.

    Args:
        link: see :class:`Asking`.
        user: see there.
        unit: see there.
        away: is awaited for each pause; None: the line is kept meanwhile.
    """

    def __init__(
        self, link: "ModbusLink", user: "ModbusDriver", unit: Unit, away: Away | None
    ) -> None:
        super().__init__(link, user, unit)
        self._away = away

    async def ask(self, requests: Sequence[Request], *, is_known: bool = True) -> list[Answer]:
        """See :meth:`Asking.ask`; after what is no response of the unit the rest is not sent."""
        answers: list[Answer] = [NOT_SENT] * len(requests)
        for at, request in enumerate(requests):
            await self.ready()
            (answers[at],) = await super().ask([request], is_known=is_known)
            if answers[at] in NO_RESPONSE:
                break
        return answers

    async def ask_once(self, request: Request) -> Answer:
        """See :meth:`Asking.ask_once`."""
        await self.ready()
        return await super().ask_once(request)

    async def _exchange(
        self,
        channel: Channel,
        requests: Sequence[Request],
        is_known: bool,
        unit: Unit | None = None,
    ) -> list[Answer]:
        try:
            return await super()._exchange(channel, requests, is_known, unit)
        finally:
            channel.quiet.leave_alone(self._unit, asyncio.get_running_loop().time())

    async def ready(self) -> None:
        """See :meth:`Asking.ready`; others use the line meanwhile."""
        ready_s = self._link.not_before.get(self._unit.number, 0.0)
        left_s = ready_s - asyncio.get_running_loop().time()
        if left_s > 0 and self._away is not None:
            self._release()
            await self._away(left_s)


def asking_of(
    link: "ModbusLink", user: "ModbusDriver", unit: Unit, away: Away | None = None
) -> Asking:
    """How the requests of a unit are asked.

    Args:
        link: see :class:`Asking`.
        user: see there.
        unit: see there.
        away: is awaited for each pause of a unit that needs some; see :class:`PausingAsking`.
    """
    return PausingAsking(link, user, unit, away) if unit.pause_s else Asking(link, user, unit)
