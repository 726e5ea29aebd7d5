"""``qulink probe opcua`` against the servers of two other libraries."""

import json
import re
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


async def test_a_server_of_names_limits_cycles_and_denied_nodes(tmp_path: Path) -> None:
    """What a Chinese plant has: small limits, a folder that holds its parent, nodes not shown."""
    limits = {"maxNodesPerRead": 5, "maxNodesPerBrowse": 2}
    config = tmp_path / "gateway.yaml"
    config.write_text(CONFIG.format(port=1), "utf-8")
    wanted = ("--config", config, "--write", "plc-1", "--asset-no", "P1")
    with ForeignServer(tmp_path / "pki", limits=limits) as server:
        code, out, error = await run("probe", "opcua", server.url, *wanted, "--progress", "json")
    assert code == 0, error
    for remark in (
        r"3 variables are arrays or structures: add .* as nsu=\S+\|\[0\]\|float64 or",
        r"the server does not show: 1 Bad\w+; see the user's rights",
    ):
        assert re.search(remark, out), out
    assert '"doing": "reading types of' in error
    (device,) = (
        one for one in load_gateway(config, installed()).devices if one.config.id == "plc-1"
    )
    tags = {str(tag.address): tag.config for tag in device.groups[0].tags}
    assert tags[f"nsu={URI};s=温度（上）|float64"].label_zh == "Plant / 温度（上）"
    assert tags[f"nsu={URI};s=Double|float64"].label_en == "Plant / Double"
    assert tags[f"nsu={URI};s=Guid|string"].name == "Guid"


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
