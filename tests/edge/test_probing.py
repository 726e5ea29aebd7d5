"""A search as a process: what it may say, how it is ended, and what it is started with."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.registry import searchers
from gateway.drivers.search import Target
from gateway.edge.probing import child
from gateway.edge.probing.child import Step, searched
from gateway.edge.probing.order import (
    NotAllowedError,
    Order,
    Reach,
    is_of_the_internet,
    options_of,
    ordered,
)

ORDER = Order("modbus", "tcp://127.0.0.1:1", (), Reach(("127.0.0.1",), 1, ""), "a test")
REPORT = '{"whole": true, "remarks": [], "devices": []}'


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Python that is run in place of the search."""
    text: list[str] = []
    monkeypatch.setattr(child, "command", lambda _: [sys.executable, "-c", *text])
    return text


async def test_progress_is_told_and_words_are_kept_apart(script: list[str]) -> None:
    script.append(
        "import sys\n"
        'sys.stderr.write(\'{"doing": "x", "done": 1, "of": 2, "found": ["unit 1"]}\\n\')\n'
        "sys.stderr.write('a warning\\n{no json}\\n')\n"
        f"print('{REPORT}')"
    )
    steps: list[Step] = []
    outcome = await searched(ORDER, steps.append, asyncio.Event())
    assert steps == [Step("x", 1, 2, ["unit 1"])]
    assert outcome.words == "a warning\n{no json}"
    assert outcome.report is not None
    assert outcome.report.whole


@pytest.mark.parametrize(
    "flood",
    [
        "import sys\nwhile True: sys.stdout.write('x' * 65536)",
        "import sys\nsys.stderr.write('y' * 10_000_000 + '\\n' + 'z\\n' * 100_000)\nprint('no')",
    ],
)
async def test_what_it_says_is_bounded(script: list[str], flood: str) -> None:
    script.append(flood)
    outcome = await asyncio.wait_for(searched(ORDER, lambda _: None, asyncio.Event()), 60)
    assert outcome.report is None
    assert len(outcome.words) <= child.MOST_WORDS * (child.LONGEST_LINE + 1)


async def test_one_that_does_not_end_is_ended(
    script: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "GRACE_S", 0.2)
    script.append(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        'sys.stderr.write(\'{"doing": "", "done": 0, "of": 0, "found": []}\\n\')\n'
        "time.sleep(1000)"
    )
    stop = asyncio.Event()
    outcome = await asyncio.wait_for(searched(ORDER, lambda _: stop.set(), stop), 60)
    assert outcome.report is None


async def test_its_time_is_bounded(script: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LONGEST_S", 0.2)
    monkeypatch.setattr(child, "GRACE_S", 0.2)
    script.append("import time\ntime.sleep(1000)")
    await asyncio.wait_for(searched(ORDER, lambda _: None, asyncio.Event()), 60)


async def test_a_cancelled_one_leaves_no_process(script: list[str], tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    script.append(
        f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(1000)"
    )
    task = asyncio.ensure_future(searched(ORDER, lambda _: None, asyncio.Event()))
    async with asyncio.timeout(60):
        while not (mark.exists() and mark.read_text()):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


FIELD = st.text(max_size=40)


@given(
    driver=st.sampled_from(sorted(searchers())),
    fields=st.dictionaries(st.sampled_from(["unit", "map", "depth", "pause_ms", "x"]), FIELD),
    url=st.one_of(FIELD, FIELD.map(lambda text: f"tcp://127.0.0.1:502?unit={text}")),
)
def test_no_field_becomes_an_option_that_nobody_offers(
    driver: str, fields: dict[str, str], url: str
) -> None:
    spec = searchers()[driver]
    assert spec.search is not None
    try:
        order = ordered(spec, {**fields, "url": url}, "a test")
    except NotAllowedError:
        return
    names = {one.name.replace("_", "-") for one in options_of(spec.search.options)}
    allowed = {f"--{name}" for name in names} | {f"--no-{name}" for name in names}
    assert {option.partition("=")[0] for option in order.options} <= allowed
    assert child.command(order)[-2:] == ["--", order.url]


def test_a_place_that_cannot_be_told_is_none_to_look_into() -> None:
    spec = searchers()["modbus"]
    assert spec.search is not None
    for connection, hosts in (
        ({"address": "8.8.8.8"}, None),
        ({"host": "10.0.0.1", "mirror": "opc.tcp://8.8.8.8:1"}, ("10.0.0.1", "8.8.8.8")),
    ):
        target = Target(connection, {})
        search = replace(spec.search, target=lambda _, target=target: target)
        other = replace(spec, search=search)
        if hosts is None:
            with pytest.raises(NotAllowedError, match="nowhere"):
                ordered(other, {}, "a test")
        else:
            assert ordered(other, {}, "a test").reach.hosts == hosts


@pytest.mark.parametrize(
    ("address", "is_far"),
    [
        ("10.1.2.3", False),
        ("192.168.0.5", False),
        ("127.0.0.1", False),
        ("169.254.1.1", False),
        ("100.64.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("8.8.8.8", True),
        ("::ffff:8.8.8.8", True),
        ("2400:3200::1", True),
        ("239.1.1.1", True),
    ],
)
def test_what_is_on_the_internet(address: str, is_far: bool) -> None:
    assert is_of_the_internet(address) is is_far
