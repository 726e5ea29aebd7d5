"""What identifiers cost: telling codes apart, messages of the native protocol, a node's answers.

Processor time of this process, or of the node's, which runs by itself:
``python -m benchmarks.identifiers PORT FOLDER``.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.processes import HERE
from benchmarks.registering import registering
from benchmarks.usage import snapshot
from gateway.identifier.codes.classify import classify
from gateway.identifier.codes.code import Code
from gateway.identifier.codes.handle import Handle
from gateway.identifier.irp.bodies import (
    Held,
    Question,
    read_held,
    read_question,
    write_held,
    write_question,
)
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.message import Message, decode, encode
from gateway.identifier.irp.values import Value
from gateway.identifier.native.peers import PeerError, TcpPeer
from gateway.identifier.node.keeping import records, templates
from gateway.identifier.node.keeping.counts import Tally
from gateway.identifier.node.keeping.lookup import Lookup
from gateway.identifier.node.keeping.opening import open_database
from gateway.identifier.node.native.face import NativeFace
from gateway.identifier.node.native.processes.order import Order
from gateway.identifier.node.native.processes.supervising import keep_reading
from gateway.identifier.node.native.referring import Directory, site_of
from gateway.identifier.node.native.serving import NativeNode
from gateway.identifier.node.registration import Registration
from gateway.identifier.resolving.answer import Answer, Outcome
from gateway.identifier.resolving.keeping import Memory
from gateway.identifier.resolving.resolver import Resolver
from gateway.relational.database import chunks
from gateway.web.listen import bind

Result = dict[str, object]
_ROUNDS = 7
_IDENTIFIERS = 1_000_000
_CONNECTIONS, _ASKED = 8, 40_000
_PORT = 26_410
_PROCESSES = (1, 2)
_CORPUS = Path(__file__).parent.parent / "tests/identifier/codes/corpus.jsonl"


def measure() -> list[Result]:
    """Every row."""
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder))
        answering = [asyncio.run(_answering(folder, count)) for count in _PROCESSES]
    with tempfile.TemporaryDirectory() as folder:
        registered = registering(Path(folder))
    return [_classifying(), *_coding(), _remembering(), *answering, registered]


def _per_s(work: Callable[[], object], count: int) -> int:
    """How often a thing is done a second of processor time; the median of some rounds."""
    rounds = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        work()
        rounds.append(time.process_time() - began)
    return round(count / statistics.median(rounds))


def _classifying() -> Result:
    texts = [json.loads(line)[0] for line in _CORPUS.read_text("utf-8").splitlines()] * 5
    rate = _per_s(lambda: [classify(text) for text in texts], len(texts))
    return {"name": "identifiers classify", "codes_per_s": rate}


def _coding() -> Iterator[Result]:
    question = Question("88.100.1/EQ001")
    held = Held("88.100.1/EQ001", (Value(1, "URL", b"http://a.cn"), Value(2, "DESC", b"x" * 20)))

    def ask() -> None:
        body = decode(encode(Message(Op.RESOLVE, 7, write_question(question)))).body
        read_question(body)

    def tell() -> None:
        read_held(decode(encode(Message(Op.RESOLVE, 7, write_held(held), Rc.OK))).body)

    for name, work in (("question", ask), ("answer of two values", tell)):
        rate = _per_s(lambda work=work: [work() for _ in range(5_000)], 5_000)  # type: ignore[misc]
        yield {"name": f"identifiers {name}, written and read", "messages_per_s": rate}


def _remembering() -> Result:
    """Codes that were asked for a moment ago."""
    codes = [Handle("88.999.QZ01", f"{number:06d}") for number in range(10_000)]
    resolver = Resolver([_Knowing()], Memory(len(codes)), None, time.time)

    async def all_of_them() -> None:
        for code in codes:
            await resolver.resolve(code)

    with asyncio.Runner() as runner:
        runner.run(all_of_them())  # now they are in memory
        rate = _per_s(lambda: runner.run(all_of_them()), len(codes))
    return {"name": "identifiers resolved from memory", "codes_per_s": rate}


class _Knowing:
    """A source that knows all codes."""

    name = "all"

    def takes(self, _: Code) -> bool:
        return True

    async def ask(self, code: Code) -> Answer:
        return Answer(str(code), Outcome.FOUND, ttl_s=3_600)

    async def close(self) -> None:
        """Nothing is kept."""


def _handle(number: int) -> str:
    return f"88.999.QZ01/451.20261101.{number:06d}"


def _fill(folder: Path) -> None:
    """A node of a million machines, each with six values of which a template says who sees it."""
    database = open_database("sqlite:///node.db", folder, {})
    items = [
        {"idIndex": 2000 + at, "idType": f"item{at}", "visibility": "everybody"} for at in range(6)
    ]
    body = {"prefix": "88.999.QZ01", "version": "1", "items": items}
    database.run_now(templates.put, body, {})
    values = tuple(Value(2000 + at, f"item{at}", b"x" * 20) for at in range(6))
    numbers = range(_IDENTIFIERS)
    for some in chunks((Registration(_handle(one), "1", values) for one in numbers), 10_000):
        database.run_now(records.add, some, "", 0)
    database.close()


async def _answering(folder: str, processes: int) -> Result:
    with ExitStack() as stack:
        arguments = ("-m", "benchmarks.identifiers", str(_PORT), folder, str(processes))
        node = HERE.run(stack, *arguments)
        peers = [TcpPeer("127.0.0.1", _PORT, 60) for _ in range(_CONNECTIONS)]
        await _awake(peers[0])
        before = snapshot(node.pid)
        waits = await asyncio.gather(*(_asked(at, peer) for at, peer in enumerate(peers)))
        after = snapshot(node.pid)
        for peer in peers:
            peer.close()
    each = sorted(wait for some in waits for wait in some)
    cpu_s = (after.cpu_s - before.cpu_s) / len(each)
    many = f"{processes} processes, " if processes > 1 else ""
    return {
        "name": f"identifiers node, {many}{_IDENTIFIERS} in SQLite, {_CONNECTIONS} connections",
        "us_of_its_cpu_per_resolution": round(cpu_s * 1e6, 1),
        "per_s_with_a_core_each": round(processes / cpu_s),
        "per_s": round(len(each) / (after.at_s - before.at_s)),
        "p99_ms": round(each[int(0.99 * len(each))] * 1000, 2),
    }


async def _awake(peer: TcpPeer) -> None:
    for _ in range(100):
        try:
            await peer.ask(_request(0))
        except PeerError:
            await asyncio.sleep(0.1)
        else:
            return
    raise PeerError("the node does not start")


def _request(number: int) -> bytes:
    body = write_question(Question(_handle(number * 7919 % _IDENTIFIERS)))
    return encode(Message(Op.RESOLVE, number, body, flags=int(Flag.KEEP_ALIVE)))


async def _asked(first: int, peer: TcpPeer) -> list[float]:
    """One question after the other over one connection; how long each took."""
    waits = []
    for number in range(first, _ASKED, _CONNECTIONS):
        began = time.perf_counter()
        found = decode(await peer.ask(_request(number)))
        waits.append(time.perf_counter() - began)
        if found.rc != Rc.OK:
            raise PeerError(f"{_handle(number)}: code {found.rc}")
    return waits


def _serve(port: int, folder: str, processes: int) -> None:
    site = site_of("88.999", ("127.0.0.1", port))
    order = Order("sqlite:///node.db", Path(folder), None, Directory("88.999", site), 10_000_000)
    if processes > 1:
        asyncio.run(keep_reading(order, f"127.0.0.1:{port}", processes, 0))
        return
    database = open_database(order.url, order.data_dir, {})
    node = NativeNode(database, Lookup(database), order.directory, None, Tally(), _now_ms)
    asyncio.run(NativeFace(node.answer).serve(bind(f"127.0.0.1:{port}")))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
