"""What officers who click through the console cost those who send: the p99 of acknowledgements.

A real city with broker and embedded store receives frames of many gateways, first alone, then
while officers – HTTP clients in a process of their own – log in, read every page and file, and
keep the pages' streams open.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import aiomqtt
import httpx
import numpy as np

from benchmarks.city.codec import USCC, bench_schema, random_batch
from benchmarks.city.settings import write_city
from benchmarks.processes import HERE
from benchmarks.usage import share_of_core, snapshot
from edge_config.loading.load import load_city
from gateway.city.db.upgrade import open_database
from gateway.city.registry import enrolment
from gateway.wire.frame import BodyEncoder, Header, seal
from gateway.wire.messages import DeviceState, State, decode_ack, encode_message
from gateway.wire.topics import ack_topic, frame_topic, state_topic
from tests.support.broker import Mosquitto
from tests.support.city_db import add_enterprise
from tests.support.peers import free_port, wait_for_port

OFFICERS = 10
GATEWAYS = 100
EPOCH = 0x0FF1CE0000000001
TOKEN = "the officers' token"  # noqa: S105 - of a city that lives for a minute
PAGES = ("/", "/enterprises", "/industries", "/gaps", "/quality", "/books", "/definitions")
PAGES_PAUSE_S = 0.5
"""An officer looks at a page for so long."""
_WARM_UP_S = 6.0


def measure(seconds: float) -> list[dict[str, object]]:
    """Measure without and with officers, each for some seconds."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        broker = stack.enter_context(Mosquitto(folder, "allow_anonymous true"))
        port = free_port()
        file = _city(folder, broker.url, port)
        city = HERE.run(stack, "-m", "gateway", "city", str(file), output=folder / "log")
        wait_for_port(port)
        return asyncio.run(_both(broker.port, port, city.pid, seconds))


def _city(folder: Path, url: str, port: int) -> Path:
    (folder / "token").write_text(TOKEN)
    console = {"listen": f"127.0.0.1:{port}", "token": {"file": str(folder / "token")}}
    file = write_city(folder, url, port, console=console, demonstration=False)
    database = open_database(load_city(file))
    with database.engine.begin() as connection:
        add_enterprise(connection, USCC)
        for number in range(GATEWAYS):
            enrolment.add(connection, f"gw-{number}", USCC, "1", 1)
    database.close()
    return file


async def _both(broker: int, console: int, city: int, seconds: float) -> list[dict[str, object]]:
    senders = _Senders()
    async with aiomqtt.Client("127.0.0.1", broker, identifier="senders") as client:
        await client.subscribe(ack_topic("+"), qos=1)
        listening = asyncio.create_task(senders.listen(client))
        sending = asyncio.create_task(senders.send(client))
        await asyncio.sleep(_WARM_UP_S)
        alone = await _measured("ingest, nobody looks", senders, city, seconds)
        officers = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.city.officers", str(console), str(seconds),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await asyncio.sleep(_WARM_UP_S / 2)  # they have started, logged in and opened their streams
        name = f"ingest, {OFFICERS} officers read every page"
        watched = await _measured(name, senders, city, seconds)
        said, _ = await officers.communicate()
        for task in (listening, sending):
            task.cancel()
    return [alone, watched | {"pages": int(said)}]


async def _measured(name: str, senders: "_Senders", city: int, seconds: float) -> dict[str, object]:
    senders.waits_ms.clear()
    before = snapshot(city)
    await asyncio.sleep(seconds)
    share = share_of_core(before, snapshot(city))
    p50, p99 = np.percentile(senders.waits_ms, (50, 99))
    return {
        "name": name,
        "acknowledged": len(senders.waits_ms),
        "p50_ms": round(float(p50)),
        "p99_ms": round(float(p99)),
        "ingest_percent_of_core": round(share, 1),
    }


class _Senders:
    """Gateways that send a frame a second each, and note how long its acknowledgement took."""

    def __init__(self) -> None:
        self.waits_ms: list[float] = []
        self._sent: dict[tuple[str, int], float] = {}
        self._acked = dict.fromkeys((f"gw-{number}" for number in range(GATEWAYS)), 0)

    async def listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            gateway = str(message.topic).split("/")[3]
            upto = decode_ack(bytes(message.payload)).upto
            for seq in range(self._acked[gateway] + 1, upto + 1):
                self.waits_ms.append(1000 * (time.monotonic() - self._sent.pop((gateway, seq))))
            self._acked[gateway] = max(upto, self._acked[gateway])

    async def send(self, client: aiomqtt.Client) -> None:
        generator, encoder = np.random.default_rng(1), BodyEncoder()
        schemas = {name: bench_schema(30, "d1") for name in self._acked}
        state = State(True, epoch=f"{EPOCH:016x}", devices={"d1": DeviceState("up")})
        seq = 0
        while True:
            seq += 1
            begun = time.monotonic()
            for number, (name, schema) in enumerate(schemas.items()):
                await asyncio.sleep(max(0.0, begun + number / GATEWAYS - time.monotonic()))
                batch = random_batch(schema, time.time_ns() // 1_000_000, generator)
                body = encoder.encode([schema, batch] if seq == 1 else [batch])
                if seq % 5 == 1:
                    await client.publish(state_topic(name), encode_message(state), qos=1)
                self._sent[name, seq] = time.monotonic()
                await client.publish(
                    frame_topic(name), seal(body, Header(EPOCH, seq, batch.count)), qos=1
                )
            await asyncio.sleep(max(0.0, begun + 1 - time.monotonic()))


async def _click(base: str, until_s: float) -> int:
    """One officer: logs in, opens a stream, reads page after page; returns how many."""
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=60) as client:
        csrf = (await client.get("/login")).cookies["qulink_csrf"]
        entered = await client.post("/login", data={"csrf": csrf, "token": TOKEN})
        assert entered.status_code == 303, entered.text  # noqa: S101 - nothing else is measured
        watching = asyncio.create_task(_watch(client))
        read = 0
        while time.monotonic() < until_s:
            for path in (*PAGES, f"/enterprises/{USCC}", "/gaps?format=csv", "/?format=json"):
                (await client.get(path)).raise_for_status()
                read += 1
                await asyncio.sleep(PAGES_PAUSE_S)
        watching.cancel()
    return read


async def _watch(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/", headers={"accept": "text/event-stream"}) as stream:
        async for _ in stream.aiter_lines():
            pass


async def _officers(arguments: Sequence[str]) -> int:
    port, seconds = arguments
    until_s = time.monotonic() + float(seconds) + _WARM_UP_S / 2
    base = f"http://127.0.0.1:{port}"
    return sum(await asyncio.gather(*(_click(base, until_s) for _ in range(OFFICERS))))


if __name__ == "__main__":
    sys.stdout.write(str(asyncio.run(_officers(sys.argv[1:]))))
