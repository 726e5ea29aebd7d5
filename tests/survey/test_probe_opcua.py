"""``qulink probe opcua`` against the servers of two other libraries."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_config.loading.load import load_gateway
from gateway.drivers.registry import installed
from tests.drivers.opcua.server import URI, AsyncuaServer, ForeignServer, OpcUaServer
from tests.survey.test_decode import CONFIG, run


@pytest.fixture(params=["asyncua", "node-opcua"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpcUaServer]:
    is_python = request.param == "asyncua"
    made = AsyncuaServer() if is_python else ForeignServer(tmp_path_factory.mktemp("pki"))
    with made as found:
        yield found


async def test_variables_become_tags_with_lasting_names(server: OpcUaServer) -> None:
    code, out, error = await run("probe", "opcua", server.url, "--json")
    assert code == 0, error
    found = json.loads(out)
    assert "None/None" in found["remarks"][0]
    (device,) = found["devices"]
    assert URI in device["identity"].values()
    assert f"nsu={URI};s=Double|float64" in device["points"].values()
    assert device["connection"] == {"url": server.url}


async def test_a_server_is_written_in_one_step(server: OpcUaServer, tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_text(CONFIG.format(port=1), "utf-8")
    wanted = ("--config", config, "--write", "plc-1", "--asset-no", "P1")
    code, out, error = await run("probe", "opcua", server.url, *wanted)
    assert code == 0, error
    assert "wrote plc-1 into plc-1.csv, plc-1.yaml, gateway.yaml" in out
    device = load_gateway(config, installed()).devices[1]
    tags = {tag.config.name: str(tag.address) for tag in device.groups[0].tags}
    assert tags["Double"] == f"nsu={URI};s=Double|float64"


async def test_a_look_is_bounded(server: OpcUaServer) -> None:
    code, out, error = await run("probe", "opcua", server.url, "--count", 1, "--json")
    assert code == 0, error
    (device,) = json.loads(out)["devices"]
    assert len(device["points"]) <= 1
    assert any("--depth and --count" in one for one in device["remarks"])


async def test_nobody_there_is_told() -> None:
    code, out, error = await run("probe", "opcua", "opc.tcp://127.0.0.1:1")
    assert (code, out) == (1, "")
    assert "127.0.0.1:1" in error
    code, out, error = await run("probe", "opcua", "http://127.0.0.1:1")
    assert (code, out) == (1, "")
    assert "is no address of an OPC UA server" in error
