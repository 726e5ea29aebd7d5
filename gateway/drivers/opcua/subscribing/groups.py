"""The groups of a session: into which subscription each goes, and what is asked for again.

What a server refuses now it may have in a minute: a controller fills its address space after it
has begun to answer, a robot's variables come with its program, a namespace is registered late.
"""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.uaerrors import UaStatusCodeError

from gateway.core.batch import Status
from gateway.drivers.api import Point
from gateway.drivers.extras import Notice
from gateway.drivers.opcua.clock import ServerClock
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.session import Session
from gateway.drivers.opcua.connecting.structures import Structures
from gateway.drivers.opcua.encoding.codec import BAD, ServiceFaultError
from gateway.drivers.opcua.encoding.convert import shape_of
from gateway.drivers.opcua.encoding.times import SourceTimes
from gateway.drivers.opcua.faults import code_of
from gateway.drivers.opcua.subscribing.items import (
    create_items,
    create_subscription,
    publishing_ms,
    queue_size,
    watch_clock,
)
from gateway.drivers.opcua.subscribing.revised import Asked, Revised
from gateway.drivers.opcua.subscribing.subscription import Member, Subscription, Wanted

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0
"""Pauses before what is missing is asked for again: the first, doubled each time, and the last."""

_NO_MORE = frozenset(map(int, (StatusCodes.BadTooManySubscriptions, StatusCodes.BadOutOfMemory)))
"""What servers answer where one more subscription is too many."""


class Groups:
    """The groups of one session.

    Args:
        session: open.
        connection: what the operator wants.
        clock: the server's; its time is watched beside the first group.
        structures: of the server, as far as they are known.
        spread: a number from 0 to 1, so that devices do not ask again all together.

    Attributes:
        subscriptions: by their ids.
    """

    def __init__(
        self,
        session: Session,
        connection: Connection,
        clock: ServerClock,
        structures: Structures,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self.subscriptions: dict[int, Subscription] = {}
        self._session = session
        self._connection = connection
        self._clock = clock
        self._structures = structures
        self._spread = spread
        self._pause_s = FIRST_PAUSE_S
        self._again_s: float | None = None  # when, on the loop's clock; None: nothing is missing

    @property
    def members(self) -> Iterator[Member]:
        """The groups themselves."""
        return (member for one in self.subscriptions.values() for member in one.members)

    async def add(
        self, group: str, points: Sequence[Point], interval_ms: int, times: SourceTimes
    ) -> Status:
        """Subscribe a group; one status a point.

        Args:
            group: name of the group.
            points: what it monitors.
            interval_ms: its period.
            times: judges the times of its values.

        Raises:
            Exception: any of ``faults.LIBRARY_ERRORS``.
        """
        number = await self._subscription_for(interval_ms)
        subscription = self.subscriptions[number]
        times.begin(subscription.publishing_ms)
        wanted = self._wanted(interval_ms, subscription.publishing_ms)
        asked = Asked(
            wanted.sampling_ms, wanted.queue, publishing_ms(self._connection, interval_ms)
        )
        revised = Revised(group, len(points), asked, subscription.publishing_ms)
        shape = shape_of([point.address for point in points], self._structures.layouts)
        member = Member(group, points, subscription.size, wanted, times, revised, shape)
        subscription.members.append(member)
        await create_items(self._session, number, member, np.arange(len(points)), self._structures)
        if self._clock.is_watched and len(self.subscriptions) == len(subscription.members) == 1:
            await watch_clock(self._session, number, self._connection.keepalive_ms)
        self._again_s = _now_s() + self._pause()
        return member.status()

    def notices(self) -> list[Notice]:
        """What the server made of what was asked for, where it differs."""
        return [notice for member in self.members for notice in member.revised.notices]

    def _wanted(self, interval_ms: int, granted_ms: float) -> Wanted:
        sampling_ms = self._connection.sampling_ms
        sampling_ms = interval_ms if sampling_ms is None else sampling_ms
        queue = queue_size(granted_ms, sampling_ms)
        return Wanted(sampling_ms, queue, self._connection.timestamps)

    async def _subscription_for(self, interval_ms: int) -> int:
        """A new subscription; the nearest there is if the server grants no further one."""
        try:
            made = await create_subscription(self._session, self._connection, interval_ms)
        except (UaStatusCodeError, ServiceFaultError) as error:
            if code_of(error) not in _NO_MORE or not self.subscriptions:
                raise
            wanted_ms = publishing_ms(self._connection, interval_ms)
            return min(
                self.subscriptions,
                key=lambda one: abs(self.subscriptions[one].publishing_ms - wanted_ms),
            )
        period_ms = made.RevisedPublishingInterval * made.RevisedMaxKeepAliveCount
        silence_s = max(self._connection.keepalive_ms, period_ms) / 1000 + self._session.timeout_s
        self.subscriptions[made.SubscriptionId] = Subscription(
            made.RevisedPublishingInterval, silence_s, _now_s()
        )
        return int(made.SubscriptionId)

    # -- what is missing ------------------------------------------------------------------

    def due_in_s(self) -> float:
        """Seconds until :meth:`ask_again` is to be called; infinite: nothing is missing."""
        return float("inf") if self._again_s is None else self._again_s - _now_s()

    async def ask_again(self) -> None:
        """Ask for the items that the server has refused; those that stay silent are BAD.

        Raises:
            Exception: any of ``faults.LIBRARY_ERRORS``.
        """
        self._again_s = None
        members = [
            (number, member)
            for number, subscription in self.subscriptions.items()
            for member in subscription.members
            if len(member.refused) or len(member.silent)
        ]
        if any(len(member.refused) for _, member in members):
            await self._session.look_for_namespaces()
        for number, member in members:
            await self._ask_for(number, member)
        if members:
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            self._again_s = _now_s() + self._pause()

    async def _ask_for(self, number: int, member: Member) -> None:
        refused = member.refused
        before = member.codes[refused]
        if len(refused):
            await create_items(self._session, number, member, refused, self._structures)
        codes = member.codes[refused]
        is_other = (codes >= BAD) & (codes != before)  # refused for another reason now
        member.fail(refused[is_other], codes[is_other])
        patience_s = self.subscriptions[number].silence_s
        silent = member.silent_since(_now_s() - patience_s)
        member.fail(silent, np.uint32(StatusCodes.BadTimeout))

    def _pause(self) -> float:
        return self._pause_s * (0.75 + self._spread() / 2)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
