"""Programs by others read the simulated lines: mbpoll, pymodbus, asyncua."""

import subprocess
from collections.abc import Iterator

import pytest
from asyncua import Client
from asyncua import Node as UaNode
from pymodbus.client import ModbusTcpClient

from simulators.manual import LINE, Node
from tests.simulators.process import Simulator, simulator
from tests.support.peers import program

UNIT = {"face_grinder": 1, "superfinisher": 9, "e5cc": 14, "drive": 15, "sdm630": 20, "adl400": 21}


@pytest.fixture(scope="module")
def bearing() -> Iterator[Simulator]:
    with simulator("bearing") as running:
        yield running


def mbpoll(running: Simulator, machine: str, *options: str) -> list[float]:
    """The values that mbpoll prints, read once."""
    command = [program("mbpoll", "mbpoll"), "-m", "tcp", "-p", str(running.modbus), "-0", "-1"]
    unit = str(UNIT[machine])
    ended = subprocess.run(
        [*command, "-a", unit, *options, "127.0.0.1"],
        check=False,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert ended.returncode == 0, ended.stderr
    lines = [line for line in ended.stdout.splitlines() if line.startswith("[")]
    return [float(line.split("\t")[1].split(" ")[0]) for line in lines]


def test_mbpoll_reads_volts_and_hertz_of_the_meter(bearing: Simulator) -> None:
    volts = mbpoll(bearing, "sdm630", "-t", "3:float", "-B", "-r", "0", "-c", "3")
    assert len(volts) == 3
    assert all(220 < value < 240 for value in volts)
    (hertz,) = mbpoll(bearing, "sdm630", "-t", "3:float", "-B", "-r", str(0x46), "-c", "1")
    assert 49.5 < hertz < 50.5


def test_mbpoll_reads_floats_with_the_low_word_first(bearing: Simulator) -> None:
    pressure, oscillation = mbpoll(
        bearing, "superfinisher", "-t", "4:float", "-r", "310", "-c", "2"
    )
    assert 0 <= pressure < 0.5
    assert 0 <= oscillation < 15
    swapped = mbpoll(bearing, "superfinisher", "-t", "4:float", "-B", "-r", "310", "-c", "1")
    assert not 0.01 < swapped[0] < 0.5, "the wrong order must not look right"


def test_mbpoll_reads_a_whole_number_over_two_registers(bearing: Simulator) -> None:
    energy = mbpoll(bearing, "adl400", "-t", "4:int", "-B", "-r", "0", "-c", "1")[0] * 0.01
    assert 500 < energy < 100_000
    power = mbpoll(bearing, "adl400", "-t", "4:int", "-B", "-r", str(0x16A), "-c", "1")[0] * 0.001
    assert 0 < power < 2.5


def test_mbpoll_reads_the_temperature_controller_and_the_drive(bearing: Simulator) -> None:
    (value,) = mbpoll(bearing, "e5cc", "-t", "4", "-r", str(0x2000), "-c", "1")
    assert 165 < value * 0.1 < 180
    assert mbpoll(bearing, "e5cc", "-t", "4", "-r", str(0x2103), "-c", "1") == [1720]
    assert mbpoll(bearing, "drive", "-t", "4", "-r", str(0x3000), "-c", "1")[0] in (1, 3)
    hertz, bus = mbpoll(bearing, "drive", "-t", "4", "-r", str(0x1001), "-c", "2")
    assert 0 <= hertz * 0.01 < 60
    assert 500 < bus * 0.1 < 580


def test_mbpoll_is_refused_an_address_that_does_not_exist(bearing: Simulator) -> None:
    ended = subprocess.run(
        [program("mbpoll", "mbpoll"), "-m", "tcp", "-p", str(bearing.modbus), "-0", "-1",
         "-a", "1", "-r", "5000", "-c", "1", "127.0.0.1"],
        check=False, capture_output=True, text=True, timeout=150,
    )  # fmt: skip
    assert "Illegal data address" in ended.stdout + ended.stderr


def test_several_masters_read_at_once(bearing: Simulator) -> None:
    clients = [ModbusTcpClient("127.0.0.1", port=bearing.modbus, timeout=10) for _ in range(4)]
    try:
        for client in clients:
            assert client.connect()
        for unit in range(1, 9):
            client = clients[unit % len(clients)]
            bases = {1: 100, 2: 100, 3: 0, 4: 0}
            reply = client.read_holding_registers(bases.get(unit, 200), count=5, device_id=unit)
            assert 0 <= reply.registers[0] <= 7
    finally:
        for client in clients:
            client.close()


async def found(client: Client, path: str) -> UaNode:
    """The node that a client finds below a machine, from the top of the address space."""
    steps = Node(f"machinery:Machines/own:cnc-lathe-1/{path}", "").steps
    indexes = [await client.get_namespace_index(uri) for uri, _ in steps]
    names = [f"{index}:{name}" for index, (_, name) in zip(indexes, steps, strict=True)]
    return await client.nodes.objects.get_child(names)


async def test_an_opcua_client_finds_values_by_browse_names(bearing: Simulator) -> None:
    async with Client(f"opc.tcp://127.0.0.1:{bearing.opcua}/", timeout=30) as client:
        state = await found(client, "mt:Monitoring/own:Channel1/mt:ChannelState")
        assert await state.read_value() in (0, 1, 2)
        number = "machinery:MachineryBuildingBlocks/MachineryItemState/core:CurrentState/Number"
        assert await (await found(client, number)).read_value() in range(4)


async def test_an_opcua_client_reads_who_made_the_machine(bearing: Simulator) -> None:
    async with Client(f"opc.tcp://127.0.0.1:{bearing.opcua}/", timeout=30) as client:
        maker = await (await found(client, "di:Identification/Manufacturer")).read_value()
        assert maker.Text == "示例轴承装备"
        serial = await (await found(client, "di:Identification/SerialNumber")).read_value()
        assert serial == "BR-022"


async def test_an_opcua_value_has_a_source_time_and_grows(bearing: Simulator) -> None:
    async with Client(f"opc.tcp://127.0.0.1:{bearing.opcua}/", timeout=30) as client:
        own = await client.get_namespace_index(LINE)
        energy = client.get_node(f"ns={own};s=cnc-lathe-1/Energy/Total")
        before = await energy.read_data_value()
        assert before.Value is not None
        assert before.Value.Value > 0
        assert before.SourceTimestamp is not None
