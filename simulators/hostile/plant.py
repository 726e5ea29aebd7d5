"""The proxy: a client on one side, a device on the other, and a script between them."""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Self, cast

from simulators.hostile.faults import FAULTS, Delivery, End, Struck
from simulators.hostile.frames import Framing
from simulators.hostile.script import Asked, Script
from simulators.servers.serving import port_in_use

_CHUNK = 65_536
_PUNCTUAL_S = 0.005


@dataclass(frozen=True, slots=True)
class Happening:
    """A fault that struck.

    Attributes:
        do: its kind.
        asked: the request, or the connection as number n of unit 0.
    """

    do: str
    asked: Asked

    def __str__(self) -> str:
        at = f"{self.asked.second:9.3f} s"
        if self.do in ("refuse", "hang"):
            return f"{at}  connection {self.asked.number}: {self.do}"
        return f"{at}  unit {self.asked.unit}, request {self.asked.number}: {self.do}"


class HostilePlant:
    """Listens for clients and passes on what they and a device say, as a script wants it.

    Args:
        script: what happens.
        framing: of the protocol.
        device: host and port of the real device.
        tell: called with each fault as it strikes.

    Attributes:
        script: may be exchanged while it runs.
        port: where it listens.
        struck: how often each kind of fault struck.
    """

    def __init__(
        self,
        script: Script,
        framing: Framing,
        device: tuple[str, int],
        tell: Callable[[Happening], None] = lambda _: None,
    ) -> None:
        self.script = script
        self.port = 0
        self.struck: Counter[str] = Counter()
        self._framing, self._device, self._tell = framing, device, tell
        self._asked: Counter[int] = Counter()  # by unit
        self._connections = 0
        self._began_s = 0.0
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen.

        Raises:
            PortInUseError: the port cannot be listened on.
        """
        self._began_s = asyncio.get_running_loop().time()
        try:
            self._server = await asyncio.start_server(self._serve, host, port)
        except OSError:
            raise port_in_use(host, port, "the hostile plant") from None
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End every connection, and listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in self._sessions:
            session.cancel()
        if self._sessions:
            await asyncio.wait(self._sessions)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def asked(self, unit: int) -> Asked:
        """Count one more request of a unit."""
        self._asked[unit] += 1
        return Asked(unit, self._asked[unit], self._second())

    def _second(self) -> float:
        return asyncio.get_running_loop().time() - self._began_s

    def strike(self, do: str, asked: Asked) -> None:
        """Note a fault."""
        self.struck[do] += 1
        self._tell(Happening(do, asked))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._sessions.add(task)
        self._connections += 1
        asked = Asked(0, self._connections, self._second())
        rules = [rule.do for rule, _ in self.script.striking(asked, connections=True)]
        for do in rules:
            self.strike(do, asked)
        try:
            if "hang" in rules:
                while await reader.read(_CHUNK):
                    pass
            elif rules:
                _reset(writer)
            else:
                await _Session(self, self._framing, reader, writer).run(*self._device)
        except (OSError, asyncio.CancelledError):
            pass  # the client has gone, the device is away, or the plant is stopped
        finally:
            writer.transport.abort()
            self._sessions.discard(task)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST: a close that lingers for no time at all is one."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


class _Session:
    """One connection of a client, and its connection to the device."""

    def __init__(
        self,
        plant: HostilePlant,
        framing: Framing,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._plant, self._framing = plant, framing
        self._reader, self._writer = reader, writer
        # By what answers have in common with them: the request, the original one, its number.
        self._open: dict[bytes, tuple[bytes, Asked]] = {}
        self._aside: set[asyncio.Task[None]] = set()  # answers that others pass
        self._held = b""  # waits for the next answer
        self._is_deaf = False

    async def run(self, host: str, port: int) -> None:
        """Pass on until one side ends it."""
        device_in, device_out = await asyncio.open_connection(host, port)
        ways = {
            asyncio.create_task(self._requests(device_out)),
            asyncio.create_task(self._answers(device_in)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            device_out.transport.abort()
            tasks = ways | self._aside
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _requests(self, device: asyncio.StreamWriter) -> None:
        rest = b""
        while data := await self._reader.read(_CHUNK):
            frames, rest = self._framing.cut(rest + data, is_request=True)
            for frame in frames:
                if not self._is_deaf:
                    device.write(self._altered(frame))
            await device.drain()

    def _altered(self, frame: bytes) -> bytes:
        """What the device is asked; it answers to the same key."""
        asked = self._plant.asked(self._framing.unit(frame))
        self._open[self._framing.key(frame)] = frame, asked
        altered = frame
        for rule, dice in self._plant.script.striking(asked):
            change = FAULTS[rule.do].request
            if change is not None:
                self._plant.strike(rule.do, asked)
                by = Struck(self._framing, frame, dice, rule.arguments(dice))
                altered = change(altered, by)
        return altered

    async def _answers(self, device: asyncio.StreamReader) -> None:
        rest = b""
        while data := await device.read(_CHUNK):
            frames, rest = self._framing.cut(rest + data, is_request=False)
            for frame in frames:
                delivery = self._struck(frame)
                if delivery.is_passed:
                    self._put_aside(self._give(delivery))
                else:
                    await self._give(delivery)

    def _struck(self, frame: bytes) -> Delivery:
        """An answer after everything that befalls it: its contents first, then its delivery."""
        request, asked = self._open.pop(self._framing.key(frame), (b"", None))
        if asked is None:
            return Delivery(frame)
        striking = []
        for rule, dice in self._plant.script.striking(asked):
            by = Struck(self._framing, request, dice, rule.arguments(dice))
            change = FAULTS[rule.do].frame
            frame = change(frame, by) if change else frame
            striking.append((rule.do, by))
        delivery = Delivery(frame)
        for do, by in striking:
            fault = FAULTS[do]
            delivery = fault.delivery(delivery, by) if fault.delivery else delivery
            if fault.request is None:
                self._plant.strike(do, asked)
        return delivery

    def _put_aside(self, giving: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(giving)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def _give(self, delivery: Delivery) -> None:
        if delivery.joins:
            self._hold(delivery)
            return
        await asyncio.sleep(delivery.wait_ms / 1000)
        await self._send(delivery)
        if delivery.again_ms is not None:
            self._put_aside(self._repeat(delivery.data, delivery.again_ms / 1000))
        if delivery.end is End.DEAF:
            self._is_deaf = True
        elif delivery.end is End.CLOSE:
            self._writer.close()
        elif delivery.end is End.RESET:
            _reset(self._writer)

    async def _repeat(self, data: bytes, after_s: float) -> None:
        """Send a copy when it is to come, or not at all: no repeater is late for a busy machine."""
        clock = asyncio.get_running_loop().time
        due_s = clock() + after_s
        await asyncio.sleep(after_s)
        if clock() < due_s + _PUNCTUAL_S:
            await self._send(Delivery(data))

    def _hold(self, delivery: Delivery) -> None:
        self._held += delivery.data
        loop = asyncio.get_running_loop()
        loop.call_later(delivery.wait_ms / 1000, self._write, b"")

    async def _send(self, delivery: Delivery) -> None:
        if not delivery.data:
            return
        size = delivery.piece or len(delivery.data)
        for at in range(0, len(delivery.data), size):
            if at:
                await asyncio.sleep(delivery.pause_ms / 1000)
            self._write(delivery.data[at : at + size])
        with suppress(OSError):
            await self._writer.drain()

    def _write(self, data: bytes) -> None:
        held, self._held = self._held, b""
        if not self._is_deaf and not self._writer.transport.is_closing() and held + data:
            self._writer.write(held + data)
