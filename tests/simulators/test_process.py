"""The simulator as a program: ready line, options, ports in use, faults, the end."""

import socket
import subprocess

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from tests.simulators.process import COMMAND, PATIENCE_S, simulator
from tests.support.peers import free_port
from tests.support.waiting import wait_until


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], check=False, capture_output=True, text=True, timeout=PATIENCE_S
    )


def _counter(client: ModbusTcpClient, unit: int) -> tuple[int, ...]:
    reply = client.read_holding_registers(200, count=21, device_id=unit)
    assert not reply.isError()
    return tuple(reply.registers)


def test_ready_names_the_addresses_and_sigterm_ends_it_cleanly() -> None:
    with simulator("bearing-small") as running:
        assert running.ready == (
            f"ready bearing-small modbus=127.0.0.1:{running.modbus} "
            f"opcua=opc.tcp://127.0.0.1:{running.opcua}/\n"
        )
        socket.create_connection(("127.0.0.1", running.modbus), timeout=PATIENCE_S).close()
        running.process.terminate()
        assert running.process.wait(timeout=PATIENCE_S) == 0


@pytest.mark.parametrize("option", ["--port", "--opcua-port"])
def test_a_port_in_use_is_named_and_ends_it_with_2(option: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        ports = {"--port": str(free_port()), "--opcua-port": str(free_port())} | {option: str(port)}
        ended = _run("bearing-small", *(word for pair in ports.items() for word in pair))
    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "choose another with --port, --opcua-port, --controller-port or --serial" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "which line?"),
        (("nonsense",), "invalid choice: 'nonsense'"),
        (("bearing", "--port", "70000"), "'70000' is no TCP port"),
        (("bearing", "--machines", "0"), "'0' is no number from 1"),
        (("bearing", "--clock", "25:00"), "'25:00' is no time such as 09:00"),
        (("bearing", "--fault", "fire:1"), "'fire:1' is no fault such as dead-unit:3"),
        (("bearing", "--fault", "frozen:22"), "bearing has no Modbus unit 22 to be at fault"),
        (("profiles", "--into", "/nowhere"), "cannot write profiles into /nowhere: No such file"),
    ],
)
def test_wrong_arguments_are_explained(arguments: tuple[str, ...], message: str) -> None:
    ended = _run(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr


def test_list_names_every_line_and_machine() -> None:
    printed = _run("--list").stdout
    assert "bearing: 轴承套圈磨装线" in printed
    assert "FE-010" in printed
    assert "cnc-lathe-2" in printed


def test_only_the_first_machines_and_no_server_that_none_of_them_needs() -> None:
    with simulator("bearing", "--machines", "3") as running:
        assert "opcua" not in running.ready
        with ModbusTcpClient("127.0.0.1", port=running.modbus, timeout=10) as client:
            assert not client.read_holding_registers(0, count=5, device_id=3).isError()
        with (
            ModbusTcpClient("127.0.0.1", port=running.modbus, timeout=0.3, retries=0) as client,
            pytest.raises(ModbusException, match="No response"),
        ):
            client.read_holding_registers(0, count=5, device_id=4)


def test_dead_units_are_silent_and_frozen_ones_stand_still_while_others_live() -> None:
    faults = ("--fault", "dead-unit:5", "--fault", "frozen:6")
    with simulator("bearing", "--machines", "8", "--seed", "3", *faults) as running:
        with (
            ModbusTcpClient("127.0.0.1", port=running.modbus, timeout=0.3, retries=0) as client,
            pytest.raises(ModbusException, match="No response"),
        ):
            _counter(client, 5)
        with ModbusTcpClient("127.0.0.1", port=running.modbus, timeout=10) as client:
            living, frozen = _counter(client, 7), _counter(client, 6)
            wait_until(lambda: _counter(client, 7) != living, "unit 7 that lives")
            assert _counter(client, 6) == frozen


def test_the_same_seed_gives_the_same_energy_counters() -> None:
    seen = []
    for seed in ("4", "4", "5"):
        with (
            simulator(
                "bearing", "--machines", "1", "--seed", seed, "--fault", "frozen:1"
            ) as running,
            ModbusTcpClient("127.0.0.1", port=running.modbus, timeout=10) as client,
        ):
            seen.append(client.read_holding_registers(120, count=2, device_id=1).registers)
    assert seen[0] == seen[1] != seen[2]
