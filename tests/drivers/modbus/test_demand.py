"""Units that are asked more often than a serial bus can answer are named before they are."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edge_config.loading.load import load_gateway
from edge_config.mistakes.problems import ConfigError
from gateway.drivers.modbus.demand import Line, doubts, impossible, share
from gateway.drivers.registry import installed
from gateway.drivers.toolkit.budget import ROOM, Load
from tests.edge.plant import USCC
from tests.support.command import qulink


def written(folder: Path, units: int, interval_ms: int, tags: int = 1, **connection: Any) -> Path:
    """Units of one endpoint with so many tags, each of which needs a request."""
    each = [{"name": f"t{at}", "address": f"holding:{1000 * at}"} for at in range(tags)]
    groups = [{"name": "g", "interval_ms": interval_ms, "tags": each}]
    at = {"host": "10.0.0.1", **connection}
    at = {key: value for key, value in at.items() if value is not None}
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC},
        "profiles": [{"name": "p", "driver": "modbus", "source": "sensor", "groups": groups}],
        "devices": [
            {
                "id": f"d{unit}",
                "driver": "modbus",
                "profile": "p",
                "asset_no": f"M{unit}",
                "connection": {**at, "unit": unit},
            }
            for unit in range(1, units + 1)
        ],
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def warnings(file: Path) -> list[str]:
    return [str(warning) for warning in load_gateway(file, installed()).warnings]


def overloads(file: Path) -> list[str]:
    return [str(problem) for problem in load_gateway(file, installed()).overloads]


@pytest.mark.parametrize(
    ("units", "interval_ms", "tags", "connection"),
    [
        (50, 1_000, 1, {}),
        (50, 1_000, 4, {"connections": 4}),
        (50, 1_000, 2, {"window": 2}),
        (1, 100, 16, {}),
        (10, 1_000, 2, {"pause_between_requests_ms": 30}),
        (1, 1_000, 20, {"baud": 19_200}),
        (1, 5_000, 25, {"pause_between_requests_ms": 100}),
    ],
)
def test_what_a_bus_may_carry_is_no_warning(
    tmp_path: Path, units: int, interval_ms: int, tags: int, connection: dict[str, Any]
) -> None:
    assert not warnings(written(tmp_path, units, interval_ms, tags, **connection))


@pytest.mark.parametrize(
    ("units", "interval_ms", "tags", "connection", "said"),
    [
        (51, 1_000, 1, {}, "51 devices at 10.0.0.1:502 are asked 51 times a second over 1 con"),
        (50, 500, 2, {}, "are asked 200 times a second over 1 connection, which leaves 5 ms"),
        (50, 1_000, 5, {"connections": 4}, "over 4 connections, which leaves 16 ms"),
        (10, 1_000, 2, {"pause_between_requests_ms": 40}, "which leaves 10 ms for an answer"),
    ],
)
def test_what_no_bus_carries_is_a_warning_at_the_first_of_its_devices(
    tmp_path: Path,
    units: int,
    interval_ms: int,
    tags: int,
    connection: dict[str, Any],
    said: str,
) -> None:
    (warning,) = warnings(written(tmp_path, units, interval_ms, tags, **connection))
    assert said in warning
    assert "devices.0.connection:" in warning
    assert "lengthen interval_ms" in warning
    assert not overloads(written(tmp_path, units, interval_ms, tags, **connection))


def test_units_of_several_profiles_are_counted_together(tmp_path: Path) -> None:
    devices = load_gateway(written(tmp_path, 30, 1_000), installed()).devices
    others = [replace(one, groups=tuple(one.groups)) for one in devices]
    assert not list(doubts(devices))
    assert list(doubts([*devices, *others]))


@pytest.mark.parametrize(
    ("tags", "connection", "said"),
    [
        (31, {"pause_between_requests_ms": 100}, "takes 31 requests and at least 3,100 ms"),
        (1, {"pause_after_connect_ms": 4_000}, "takes 1 request and at least 4,000 ms"),
        (40, {"baud": 2_400}, "takes 40 requests and at least 4,233 ms"),
    ],
)
def test_a_reading_that_cannot_end_in_time_is_a_warning(
    tmp_path: Path, tags: int, connection: dict[str, Any], said: str
) -> None:
    (warning,) = warnings(written(tmp_path, 1, 60_000, tags, **connection))
    assert said in warning
    assert "more than its timeout_ms 3000: raise timeout_ms" in warning


def test_a_line_that_no_unit_can_be_quick_enough_for_is_refused(tmp_path: Path) -> None:
    """22 characters a request: 60 of them need 1,512 ms, whatever the units do."""
    file = written(tmp_path, 30, 1_000, 2, baud=9_600)
    (problem,) = overloads(file)
    assert re.match(r".*gateway.yaml:\d+: devices.0.connection: what is asked of 30 dev", problem)
    assert "needs at least 1,512 ms of each 1,000 ms of a line of 9600 baud" in problem
    assert "interval_ms: 2500 fits" in problem
    assert not warnings(file)  # once is enough
    fitting = written(tmp_path, 30, 2_500, 2, baud=9_600)
    assert not warnings(fitting)
    assert not overloads(fitting)


def test_check_refuses_what_cannot_be_done_and_lets_the_rest_be(tmp_path: Path) -> None:
    done = qulink("check", str(written(tmp_path, 30, 1_000, 2, baud=9_600)))
    assert (done.returncode, done.stdout) == (1, "")
    assert "interval_ms: 2500 fits" in done.stderr
    done = qulink("check", str(written(tmp_path, 30, 2_000, 2, baud=9_600)))
    assert done.returncode == 0
    assert "warning: " in done.stderr


def test_pauses_alone_may_be_too_long(tmp_path: Path) -> None:
    file = written(tmp_path, 10, 1_000, 2, pause_between_requests_ms=60)
    (problem,) = overloads(file)
    assert "needs at least 1,200 ms of each 1,000 ms of its pauses between requests" in problem
    assert "interval_ms: 2000 fits" in problem
    assert not warnings(file)
    side_by_side = {"pause_between_requests_ms": 60, "connections": 2}
    assert not overloads(written(tmp_path, 10, 1_000, 2, **side_by_side))


def test_a_pause_of_a_unit_counts_for_that_unit_only(tmp_path: Path) -> None:
    """The line is free meanwhile: ten such units are no more than one."""
    file = written(tmp_path, 10, 1_000, 4, baud=115_200, unit_pause_ms=300)
    (problem,) = overloads(file)
    assert "what is asked of device 'd1' needs at least 1,208 ms of each 1,000 ms of" in problem
    assert "its time, with unit_pause_ms: 300 after each answer" in problem
    assert "interval_ms: 2000 fits" in problem
    assert not warnings(file)
    assert not overloads(written(tmp_path, 10, 2_000, 4, baud=115_200, unit_pause_ms=300))
    assert not warnings(written(tmp_path, 10, 2_000, 4, baud=115_200, unit_pause_ms=300))
    (warning,) = warnings(written(tmp_path, 10, 1_000, 2, unit_pause_ms=450, connections=4))
    assert "what is asked of device 'd1' needs 900 ms of each 1,000 ms of its time" in warning
    (alone,) = load_gateway(written(tmp_path, 1, 1_000, 4, unit_pause_ms=50), installed()).devices
    (busy,) = load_gateway(written(tmp_path, 1, 1_000, 4, baud=9_600), installed()).devices
    paused = replace(busy, connection=replace(busy.connection, unit_pause_ms=50))
    assert share([alone]) is None
    assert share([busy]) == share([paused])


def test_a_pause_of_a_unit_contradicts_a_window(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"window.*4 contradicts unit_pause_ms; leave it at 1"):
        load_gateway(written(tmp_path, 1, 1_000, unit_pause_ms=50, window=4), installed())


def on_a_port(folder: Path, units: int, interval_ms: int, **connection: Any) -> Path:
    return written(folder, units, interval_ms, 1, host=None, **connection)


PORT = "/dev/ttyS0"


@pytest.mark.parametrize(
    ("serial", "framing", "least", "fits"),
    [
        # one register: 22 characters of RTU, 32 of ASCII; to be quick is to answer after 5 ms
        ({"baud": 9_600, "parity": "even"}, "rtu", 30 * 22 * 11 / 9.6, 1_500),
        ({"baud": 9_600}, "rtu", 30 * 22 * 10 / 9.6, 1_500),
        ({"baud": 19_200}, "rtu", 30 * 22 * 10 / 19.2, 1_000),
        ({"baud": 2_400, "parity": "even"}, "rtu", 30 * 22 * 11 / 2.4, 4_000),
        ({"baud": 9_600, "data_bits": 7, "parity": "even"}, "ascii", 30 * 32 * 10 / 9.6, 1_500),
        ({"baud": 4_800, "data_bits": 7, "parity": "even"}, "ascii", 30 * 32 * 10 / 4.8, 3_000),
    ],
)
def test_a_serial_port_is_reckoned_with_its_own_speed(
    tmp_path: Path, serial: dict[str, Any], framing: str, least: float, fits: int
) -> None:
    way = {"serial": {"port": PORT, **serial}, "framing": framing}
    file = on_a_port(tmp_path, 30, 1_000, **way)
    usual, of = least + 30 * 5, f"ms of each 1,000 ms of a line of {serial['baud']} baud"
    if least > 1_000:
        (said,) = overloads(file)
        assert f"of 30 devices at {PORT} needs at least {least:,.0f} {of}" in said
    elif usual > 800:
        (said,) = warnings(file)
        assert f"of 30 devices at {PORT} needs {usual:,.0f} {of}" in said
    else:
        said = f"interval_ms: {fits} fits"
    assert f"interval_ms: {fits} fits" in said
    fitting = on_a_port(tmp_path, 30, fits, **way)
    assert not warnings(fitting)
    assert not overloads(fitting)


def test_short_intervals_are_proposed_in_smaller_steps(tmp_path: Path) -> None:
    (said,) = overloads(on_a_port(tmp_path, 5, 100, serial=PORT))
    assert "interval_ms: 200 fits" in said
    assert not warnings(on_a_port(tmp_path, 5, 200, serial=PORT))


def test_intervals_of_several_lengths_are_proposed_as_a_factor(tmp_path: Path) -> None:
    devices = load_gateway(written(tmp_path, 60, 1_000, baud=9_600), installed()).devices
    slow = [
        replace(one, groups=tuple(replace(group, interval_ms=2_000) for group in one.groups))
        for one in devices[:30]
    ]
    (said,) = impossible([*devices[30:], *slow])
    assert "intervals 1.7 times as long fit" in said


@given(
    units=st.integers(1, 60),
    interval_ms=st.integers(50, 60_000),
    baud=st.sampled_from([1_200, 9_600, 19_200, 115_200]),
    pause_ms=st.integers(0, 200),
)
def test_what_is_proposed_is_accepted(
    units: int, interval_ms: int, baud: int, pause_ms: int
) -> None:
    """And never both a warning and a refusal, nor a refusal of what has room."""
    load = load_of(units, interval_ms, baud, pause_ms)
    refused, doubted = list(load.impossible()), list(load.doubtful())
    assert len(refused) + len(doubted) == (load.usual > ROOM)
    for said in (*refused, *doubted):
        proposed = int(re.search(r"interval_ms: (\d+) fits", said)[1])  # type: ignore[index]
        assert proposed > interval_ms
        fitting = load_of(units, proposed, baud, pause_ms)
        assert not [*fitting.impossible(), *fitting.doubtful()]


def load_of(units: int, interval_ms: int, baud: int, pause_ms: int) -> Load:
    """Of units with a request of one register each."""
    line = Line(pause_ms, 0, baud, 11_000 / baud, is_ascii=False)
    least, usual = (units * line.request_ms(2, wait_ms) / interval_ms for wait_ms in (0, 5))
    return Load("units", "a line", least, usual, {interval_ms})
