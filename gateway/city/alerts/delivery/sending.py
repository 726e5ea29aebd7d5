"""Puts what began and ended into messages, and sends what waits, each channel for itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from edge_config.models.city import CityConfig
from gateway.city.access.principal import parse_scope
from gateway.city.alerts.delivery import assembling, contacts, queue
from gateway.city.alerts.delivery.mail import Mail, Post
from gateway.city.alerts.delivery.outcome import AwayError, PutOffError, RefusedError
from gateway.city.alerts.delivery.queue import HOOK, MAIL, Message
from gateway.city.alerts.delivery.webhook import Hook
from gateway.city.alerts.delivery.wording import Told, body, for_programs, subject
from gateway.city.alerts.faults import Faults
from gateway.city.alerts.standing import listed
from gateway.core.days import DAY_MS, HOUR_MS
from gateway.relational.database import Database, words
from gateway.retry import Retry

log = logging.getLogger(__name__)

IDLE_S = 2.0
"""How often a channel looks whether anything waits."""
_FIRST_PAUSE_MS, _LONGEST_PAUSE_MS = 1_000, 300_000


class Sending:
    """The channels of a city.

    Args:
        config: the city's.
        database: of the city.
        now_ms: the clock, UTC milliseconds.
        idle_s: see :data:`IDLE_S`.
        faults: counts defects.
    """

    def __init__(
        self,
        config: CityConfig,
        database: Database,
        now_ms: Callable[[], int],
        idle_s: float = IDLE_S,
        faults: Faults | None = None,
    ) -> None:
        self._config, self._database, self._now_ms = config, database, now_ms
        self._idle_s = idle_s
        self._faults = faults or Faults()
        alerts = config.alerts
        self._post = Post(alerts.mail) if alerts.mail else None
        self._hooks = {HOOK + one.name: Hook(one) for one in alerts.webhooks}
        self._scopes = {one.name: parse_scope(one.scope) for one in alerts.webhooks}
        self._is_full = False
        self._tidied_hour = -1

    @property
    def channels(self) -> tuple[str, ...]:
        """What messages go by."""
        return (*((MAIL,) if self._post else ()), *self._hooks)

    async def run(self) -> None:
        """Send until cancelled."""
        await self._steadily(lambda: self._database.run(queue.release, self._now_ms()))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gather())
            for channel in self.channels:
                tasks.create_task(self._serve(channel))

    async def _steadily(self, work: Callable[[], Awaitable[object]]) -> None:
        attempts = Retry(log, "alerts cannot be sent: database", "alerts can be sent again")
        await attempts.until_done(work, SQLAlchemyError, words=words)

    async def _gather(self) -> None:
        while True:
            pause_s = self._idle_s
            try:
                await self._steadily(self.gather)
            except Exception as error:  # noqa: BLE001 - a defect ends no process
                pause_s = self._faults.met("gathering messages", error) / 1000
            else:
                self._faults.over("gathering messages")
            await asyncio.sleep(pause_s)

    async def gather(self) -> None:
        """Put what is due into messages, and tidy up once an hour.

        Raises:
            SQLAlchemyError: the database is away.
        """
        alerts, now_ms = self._config.alerts, self._now_ms()
        if await self._database.read(assembling.due, now_ms, alerts.gather_s * 1000):
            has_mail = self._post is not None
            found = await self._database.run(
                assembling.assemble, self._scopes, now_ms, has_mail=has_mail, most=alerts.queue
            )
            self._tell_fullness(found.dropped)
        hour = now_ms // HOUR_MS
        if hour != self._tidied_hour:
            before_ms = now_ms - alerts.give_up_hours * HOUR_MS
            await self._database.run(queue.give_up, before_ms, now_ms)
            await self._database.run(queue.trim, now_ms - alerts.keep_days * DAY_MS)
        self._tidied_hour = hour

    def _tell_fullness(self, dropped: int) -> None:
        """One line when the queue overflows, and one when it has room again."""
        if dropped and not self._is_full:
            log.warning("alerts: the queue is full, the oldest messages are dropped")
        elif self._is_full and not dropped:
            log.info("alerts: the queue has room again")
        self._is_full = dropped > 0

    async def _serve(self, channel: str) -> None:
        fault = Retry(
            log,
            f"alerts: {channel} takes no messages",
            f"alerts: {channel} takes messages again",
            first_ms=_FIRST_PAUSE_MS,
            longest_ms=_LONGEST_PAUSE_MS,
        )
        while True:
            try:
                pause_s = 0.0 if await self.send_next(channel) else self._idle_s
                if not pause_s:
                    fault.succeeded()
            except (AwayError, SQLAlchemyError) as error:
                fault.failed(words(error))
                pause_s = fault.pause_s()
            except Exception as error:  # noqa: BLE001 - as for gathering
                pause_s = self._faults.met(f"sending by {channel}", error) / 1000
            await asyncio.sleep(pause_s)

    async def send_next(self, channel: str) -> bool:
        """Send the oldest message of a channel; False: none waits.

        Raises:
            AwayError: the channel takes nothing; the message waits on.
            Exception: a defect; the message waits for itself, and keeps no other back.
            SQLAlchemyError: the database is away.
        """
        run = self._database.run
        message = await run(queue.claim, channel, self._now_ms())
        if message is None:
            return False
        try:
            state = await self._send(message)
        except AwayError as error:
            await run(queue.put_back, message, self._now_ms(), str(error), at_once=True)
            raise
        except PutOffError as error:
            await run(queue.put_back, message, self._now_ms(), str(error), at_once=False)
        except RefusedError as error:
            log.warning("alerts: a message is given up: %s", error)
            await run(queue.settle, message, "refused", self._now_ms(), str(error))
        except Exception as error:
            said = f"defect: {type(error).__name__}"
            await run(queue.put_back, message, self._now_ms(), said, at_once=False)
            raise
        else:
            await run(queue.settle, message, state, self._now_ms(), "")
        self._faults.over(f"sending by {channel}")
        return True

    async def _send(self, message: Message) -> str:
        """Send what its recipient sees by now; ``void`` if that is nothing."""
        if message.channel == MAIL:
            return await self._mail(message)
        hook, now_ms = self._hooks[message.channel], self._now_ms()
        told = await self._database.read(self._for_hook, message)
        if not told:
            return "void"
        await hook.send(for_programs(self._config, message.key, told, now_ms), message.key, now_ms)
        return "sent"

    def _for_hook(self, connection: Connection, message: Message) -> list[Told]:
        ids = {number for number, _ in message.parts}
        scope = self._scopes[message.recipient]
        seen = {one.id: one for one in listed(connection, scope, limit=len(ids), ids=ids)}
        return [Told(event, seen[number]) for number, event in message.parts if number in seen]

    async def _mail(self, message: Message) -> str:
        contact, told = await self._database.read(self._for_user, message)
        if contact is None or not told or self._post is None:
            return "void"
        language = contact.language
        await self._post.send(
            Mail(
                contact.address,
                subject(self._config, language, told),
                body(self._config, language, told),
                message.key,
                message.queued_ms,
            )
        )
        return "sent"

    def _for_user(
        self, connection: Connection, message: Message
    ) -> tuple[contacts.Contact | None, list[Told]]:
        """Where it goes, and what of it is theirs now; the allowed domains may be others, too."""
        contact, mail = contacts.of(connection, message.recipient), self._config.alerts.mail
        if contact is None or mail is None:
            return None, []
        try:
            contacts.demand_allowed(mail, contact.address)
        except contacts.ContactError:
            return None, []
        ids = [number for number, _ in message.parts]
        seen = assembling.told_to(connection, message.recipient, ids)
        return contact, [Told(event, seen[one]) for one, event in message.parts if one in seen]
