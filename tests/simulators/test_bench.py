"""The lean server for benchmarks answers as the specification says, and never the same twice."""

import json
import signal
import struct
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from pymodbus.client import ModbusTcpClient

from benchmarks.table import rows
from simulators.bench.modbus import BenchServer, Noise
from simulators.bench.watch import Watch, lateness
from tests.simulators.process import Simulator, simulator
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def bench() -> Iterator[Simulator]:
    with simulator("bench", "--addresses", "2", "--devices", "100", "--tags", "1000") as running:
        yield running


@pytest.fixture
def client(bench: Simulator) -> Iterator[ModbusTcpClient]:
    with ModbusTcpClient("127.0.0.1", port=bench.modbus, timeout=10) as client:
        yield client


def _floats(client: ModbusTcpClient, unit: int) -> np.ndarray:
    words: list[int] = []
    for start in range(0, 2000, 124):
        count = min(124, 2000 - start)
        words += client.read_holding_registers(start, count=count, device_id=unit).registers
    return np.array(words, dtype=">u2").view(">f4")


def test_every_value_of_every_poll_differs(client: ModbusTcpClient) -> None:
    polls = [_floats(client, 7)]
    for _ in range(2):
        wait_until(lambda: _floats(client, 7)[-1] != polls[-1][-1], "values of the next moment")
        polls.append(_floats(client, 7))
    for before, after in pairwise(polls):
        assert before.shape == (1000,)
        assert np.all(before != after)
        assert np.all((after >= 0) & (after <= 1000))


def test_units_share_no_values() -> None:
    noise = Noise(200, 3, 1)
    values = [set(struct.unpack(">100f", noise.read(unit, 5, 0, 200))) for unit in (0, 1, 2)]
    assert len(set.union(*values)) == 300


@pytest.mark.parametrize("unit", [1, 100])
def test_first_and_last_unit_answer_input_registers_too(client: ModbusTcpClient, unit: int) -> None:
    assert len(client.read_input_registers(1875, count=125, device_id=unit).registers) == 125


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (struct.pack(">HHHBBHH", 9, 0, 6, 1, 3, 1999, 2), 2),
        (struct.pack(">HHHBBHH", 9, 0, 6, 1, 3, 0, 126), 3),
        (struct.pack(">HHHBBHH", 9, 0, 6, 1, 3, 0, 0), 3),
        (struct.pack(">HHHBBHH", 9, 0, 6, 1, 6, 0, 1), 1),
        (struct.pack(">HHHBBHH", 9, 0, 6, 101, 3, 0, 1), 11),
    ],
)
def test_what_cannot_be_read_is_an_exception(request_: bytes, problem: int) -> None:
    answered = _answer(request_)
    function = request_[7] | 0x80
    assert answered == struct.pack(">HHHBBB", 9, 0, 3, request_[6], function, problem)


def test_each_address_has_units_of_its_own(bench: Simulator) -> None:
    seen = []
    for host in ("127.0.0.1", "127.0.0.2"):
        with ModbusTcpClient(host, port=bench.modbus, timeout=10) as client:
            seen += [set(_floats(client, unit)) for unit in (1, 2)]
    # noise may hold a value twice by chance; a unit taken for another repeats a thousand
    assert len(set.union(*seen)) >= sum(map(len, seen)) - 10


def test_lateness_is_what_exceeds_the_earliest_place_in_the_interval() -> None:
    late = lateness([10.99, 11.995, 12.99, 14.01], 1.0)
    assert np.allclose(late, [0.0, 0.005, 0.0, 0.02])


def test_one_poll_most_of_an_interval_late_makes_no_other_late() -> None:
    punctual = [10 + 0.02 * tick + 0.0001 * (tick % 7) for tick in range(500)]
    late = lateness([*punctual[:250], punctual[250] + 0.013, *punctual[251:]], 0.02)
    assert sorted(late)[-2] == pytest.approx(0.0006, abs=1e-6)
    assert max(late) == pytest.approx(0.013 + 0.0005, abs=1e-6)


def test_a_report_tells_of_the_polls_since_the_last(bench: Simulator) -> None:
    bench.process.send_signal(signal.SIGUSR1)
    assert bench.process.stdout is not None
    bench.process.stdout.readline()
    with ModbusTcpClient("127.0.0.2", port=bench.modbus, timeout=10) as client:
        for start in (0, 2, 0):
            client.read_holding_registers(start, count=2, device_id=1)
    bench.process.send_signal(signal.SIGUSR1)
    report = json.loads(bench.process.stdout.readline())
    assert (report["polls"], report["devices"]) == (2, 1)
    assert 0 <= report["late_ms"]["p50"] <= report["late_ms"]["max"] < 1000


def test_requests_in_pieces_and_in_one_piece() -> None:
    request = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 0, 2)
    whole = _answer(request + request)
    assert len(whole) == 2 * (9 + 4)
    assert len(_answer(request[:5], request[5:11], request[11:])) == 9 + 4


def _answer(*pieces: bytes) -> bytes:
    """What the server writes for bytes that come in these pieces."""
    server = BenchServer(Noise(2000, 100, 1), 100, Watch(1.0, 0.0))
    written = bytearray()

    class Wire:
        def get_extra_info(self, name: str) -> tuple[str, int]:
            assert name == "sockname"
            return "127.0.0.1", 502

        def write(self, data: bytes) -> None:
            written.extend(data)

    server.connection_made(Wire())  # type: ignore[arg-type]
    for piece in pieces:
        server.data_received(piece)
    return bytes(written)


def test_the_table_puts_an_older_checkout_beside_this_one() -> None:
    late = {"p50": 1.0, "p99": 5.5}
    beside = {"name": "a", "core_percent": 1.5, "late_ms": late, "against": {"core_percent": 3.0}}
    alone = {"name": "b", "frames_per_cpu_s": 8772, "sent_again": 0}
    assert list(rows([beside, alone]))[2:] == [
        "| a | % of a core | 3 | 1.5 | 0.50 |",
        "| a | ms late (p99) |  | 5.5 |  |",
        "| b | frames a CPU second |  | 8772 |  |",
    ]
