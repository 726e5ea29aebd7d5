"""The hostile plant: what it does to answers, that it does it again, and how it is used."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.hostile.clockwork import UNITS, Clockwork, answer, code, now_us
from simulators.hostile.faults import CONNECTIONS, FAULTS
from simulators.hostile.frames import FRAMINGS, with_crc
from simulators.hostile.plant import Happening, HostilePlant
from simulators.hostile.script import Asked, Rule, Script, ScriptError, everything, read
from tests.simulators.process import COMMAND, PATIENCE_S, simulator
from tests.support.peers import free_port

TCP, RTU = FRAMINGS["tcp"], FRAMINGS["rtu"]
READ = bytes.fromhex("0001 0000 0006 01 03 0004 0002")
"""Registers 4 and 5 of unit 1."""
RIGHT = bytes.fromhex("0001 0000 0007 01 03 04 03EC 03ED")


async def told(script: Script, sent: bytes = READ, wanted: int = 0) -> tuple[bytes, list[str]]:
    """What comes to one request through a plant, and what the plant says of it."""
    said: list[Happening] = []
    async with (
        Clockwork(2, TCP) as device,
        asyncio.timeout(PATIENCE_S),
        HostilePlant(script, TCP, ("127.0.0.1", device.port), said.append) as plant,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.port)
        writer.write(sent)
        try:
            got = await reader.readexactly(wanted) if wanted else await reader.read(999)
        except ConnectionResetError:
            got = b"reset"
        writer.transport.abort()
    return got, [one.do for one in said]


def one(do: str, **given: float) -> Script:
    return Script((Rule(do, {name: (value, value) for name, value in given.items()}),))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (Script(), RIGHT),
        (one("wrong_tid", by=2), b"\0\3" + RIGHT[2:]),
        (one("wrong_unit", by=4), RIGHT[:6] + b"\5" + RIGHT[7:]),
        (one("wrong_function"), RIGHT[:7] + b"\4" + RIGHT[8:]),
        (one("wrong_length", by=2), RIGHT[:8] + b"\6" + RIGHT[9:]),
        (one("fewer", registers=1), bytes.fromhex("0001 0000 0005 01 03 02 03EC")),
        (one("exception", code=2), bytes.fromhex("0001 0000 0003 01 83 02")),
        (one("sentinel", value=0xFFFF), RIGHT[:-4] + b"\xff\xff\xff\xff"),
        (one("sentinel", value=float("nan")), RIGHT[:-4] + b"\x7f\xc0\0\0"),
        (one("wrap", below=1000), RIGHT[:-4] + b"\0\4\0\5"),
        (one("moved_registers", by=-1), RIGHT[:-4] + bytes.fromhex("03ED 03EE")),
        (one("truncate", bytes=2), RIGHT[:-2]),
        (one("twice"), RIGHT * 2),
        (one("echo"), READ + RIGHT),
        (one("delay", ms=20), RIGHT),
        (one("late", ms=20), RIGHT),
        (one("coalesce", ms=20), RIGHT),
        (one("split", bytes=3, ms=1), RIGHT),
        (one("close"), b""),
        (one("close_after"), RIGHT),
        (one("reset"), b"reset"),
        (one("refuse"), b"reset"),
    ],
    ids=lambda each: each.rules[0].do if isinstance(each, Script) and each.rules else "",
)
async def test_what_a_fault_does(script: Script, expected: bytes) -> None:
    wanted = 0 if expected == b"reset" else len(expected)
    got, said = await told(script, wanted=wanted)
    assert got == expected
    assert said == [rule.do for rule in script.rules]


async def test_after_a_part_of_a_frame_nothing_comes_any_more() -> None:
    async with (
        Clockwork(1, TCP) as device,
        HostilePlant(one("silent_mid_frame"), TCP, ("127.0.0.1", device.port)) as plant,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", plant.port)
        writer.write(READ)
        got = await asyncio.wait_for(reader.read(999), PATIENCE_S)
        assert RIGHT.startswith(got)
        assert 0 < len(got) < len(RIGHT)
        plant.script = Script()
        writer.write(READ)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(999), 0.2)
        writer.transport.abort()


async def test_a_late_answer_is_passed_by_the_next_one() -> None:
    script = Script((Rule("late", {"ms": (200.0, 200.0)}, at=frozenset({1})),))
    second = b"\0\2" + READ[2:]
    got, _ = await told(script, READ + second, wanted=2 * len(RIGHT))
    assert got == b"\0\2" + RIGHT[2:] + RIGHT


async def test_coalesced_answers_come_in_one_piece() -> None:
    """Its own first answer waits for the second."""
    script = Script((Rule("coalesce", {"ms": (60_000.0,) * 2}, at=frozenset({1})),))
    got, _ = await told(script, READ + b"\0\2" + READ[2:])
    assert got == RIGHT + b"\0\2" + RIGHT[2:]


def test_equal_seeds_give_equal_faults() -> None:
    """Whatever the time is, and in whatever order units are asked."""

    def struck(script: Script, order: list[tuple[int, int]]) -> set[tuple[int, int, str, float]]:
        return {
            (unit, number, rule.do, rule.arguments(dice).get("ms", 0))
            for second, (unit, number) in enumerate(order)
            for rule, dice in script.striking(Asked(unit, number, second / 3))
        }

    order = [(unit, number) for number in range(1, 200) for unit in (1, 2, 3)]
    script = everything(0.05, seed=7)
    assert struck(script, order) == struck(script, order[::-1]) != set()
    assert struck(script, order) != struck(everything(0.05, seed=8), order)


async def test_equal_seeds_give_equal_faults_on_the_wire() -> None:
    script = everything(0.3, 5, without={*CONNECTIONS, "reset", "close", "close_after", "hang"})
    asked = b"".join(at.to_bytes(2, "big") + READ[2:] for at in range(1, 40))
    first, second = [(await told(script, asked))[1] for _ in range(2)]
    assert first[:20] == second[:20]
    assert len(first) >= 20


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("faults: [{do: lat}]", "fault 1: 'do' must be one of"),
        ("faults: [{do: late, sm: 3}]", "late has no 'sm'; it may have ms, units"),
        ("faults: [{do: late, ms: soon}]", "ms 'soon' is no number"),
        ("faults: [{do: late, every: 0}]", "every 0 is no number from 1"),
        ("faults: [{do: late, at: 3}]", "at 3 is no list"),
        ("faults: [{do: late}, {do: x}, {do: y}]", "fault 2.*fault 3"),
        ("seed: x\nfaults: []", "seed 'x' is no whole number"),
        ("seeds: 1\nfaults: []", "unknown key 'seeds'"),
        ("faults: {", "no YAML"),
        ("- 1", "a list 'faults:'"),
    ],
)
def test_mistakes_in_a_script_are_named(text: str, mistake: str) -> None:
    with pytest.raises(ScriptError, match=mistake):
        read(text)


def test_a_rule_strikes_when_all_that_it_says_holds() -> None:
    script = read("faults: [{do: silent, units: [3], from_s: 10, to_s: 20, every: 2, last: 8}]")

    def strikes(unit: int, number: int, second: float) -> bool:
        return bool(list(script.striking(Asked(unit, number, second))))

    assert strikes(3, 8, 10.0)
    assert not any([strikes(2, 8, 10), strikes(3, 7, 10), strikes(3, 10, 10), strikes(3, 8, 20)])


@given(st.lists(st.binary(min_size=1, max_size=250), max_size=5), st.data())
def test_modbus_tcp_is_cut_wherever_it_breaks(bodies: list[bytes], data: st.DataObject) -> None:
    frames = [b"\0\1\0\0" + (len(body) + 1).to_bytes(2, "big") + b"\1" + body for body in bodies]
    whole = b"".join(frames)
    at = data.draw(st.integers(0, len(whole)))
    first, rest = TCP.cut(whole[:at], is_request=True)
    second, rest = TCP.cut(rest + whole[at:], is_request=True)
    assert (first + second, rest) == (frames, b"")


@given(st.integers(1, 125), st.integers(1, 32))
def test_rtu_answers_are_cut_and_altered_soundly(count: int, unit: int) -> None:
    request = with_crc(bytes((unit, 3, 0, 0, 0, count)))
    reply = with_crc(bytes((unit,)) + answer(unit, RTU.pdu(request), now_us()))
    assert RTU.cut(request + request[:3], is_request=True) == ([request], request[:3])
    assert RTU.cut(reply + reply[:3], is_request=False) == ([reply], reply[:3])
    assert RTU.with_unit(reply, 9)[-2:] == with_crc(RTU.with_unit(reply, 9)[:-2])[-2:]


def test_codes_of_units_tables_and_addresses_differ() -> None:
    codes = [
        code(u, a, is_input=i) for u in range(1, UNITS + 1) for a in range(1000) for i in (0, 1)
    ]
    assert len(set(codes)) == len(codes)
    assert max(codes) < 65_536


def test_every_kind_is_in_the_pages_and_the_list() -> None:
    page = (Path(__file__).parents[2] / "docs/simulators.md").read_text()
    assert [kind for kind in FAULTS if f"`{kind}`" not in page] == []
    listed = subprocess.run(
        [*COMMAND, "hostile", "--list"], check=True, capture_output=True, text=True
    )
    assert [kind for kind in FAULTS if f"\n{kind} " not in f"\n{listed.stdout}"] == []


def test_it_stands_before_a_simulated_line_and_tells_what_it_does(tmp_path: Path) -> None:
    """As a third party uses it: two commands and a script."""
    script = tmp_path / "faults.yaml"
    script.write_text("seed: 3\nfaults: [{do: exception, code: 6, every: 2}]\n")
    with simulator("bearing-small") as line:
        port = free_port()
        words = ["hostile", "--to", f"127.0.0.1:{line.modbus}", "--port", str(port)]
        with subprocess.Popen(
            [*COMMAND, *words, "--script", str(script)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == f"ready hostile tcp=127.0.0.1:{port}\n"
            with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
                answers = []
                for _ in range(2):
                    client.sendall(bytes.fromhex("0001 0000 0006 01 03 0000 0001"))
                    answers.append(client.recv(99)[7:])
            assert answers[1] == b"\x83\6"
            assert process.stdout.readline().endswith("unit 1, request 2: exception\n")
            process.terminate()
            assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "plc"], "no HOST:PORT"),
        (["--chance", "2"], "no number from 0 to 1"),
        (["--framing", "raw"], "needs --to"),
        (["--script", "/nowhere.yaml"], "No such file"),
        (["--units", "99"], "from 1 to 31"),
    ],
)
def test_mistakes_on_the_command_line_are_said(words: list[str], message: str) -> None:
    command = [sys.executable, "-m", "simulators", "hostile", *words]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 2
    assert message in ended.stderr
