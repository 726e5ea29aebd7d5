"""``qulink test`` and ``read`` of an OPC UA server: login and nodes that are not there."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.opcua.server import URI, AsyncuaServer, ForeignServer
from tests.edge.one_device import configured
from tests.support.command import qulink


@pytest.fixture(scope="module")
def server() -> Iterator[AsyncuaServer]:
    with AsyncuaServer() as running:
        yield running


def steps_of(config: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    done = qulink("test", config, "press-1", "--json")
    return done.returncode, {step["step"]: step for step in json.loads(done.stdout)}


def tag(name: str, node: str, type_name: str = "string") -> dict[str, str]:
    return {"name": name, "address": f"nsu={URI};s={node}|{type_name}"}


@pytest.mark.timeout(300)
def test_nodes_that_the_server_lacks_are_named(server: AsyncuaServer, tmp_path: Path) -> None:
    tags = [tag("door", "String"), tag("a", "NoSuch"), tag("b", "NoSuch2")]
    config = configured(tmp_path, "opcua", {"url": server.url}, tags)
    code, steps = steps_of(config)
    assert code == 1
    assert steps["port"]["is_ok"] and steps["connect"]["is_ok"]
    assert steps["address"]["fault"] == "unreadable"
    assert (
        "1 of 3 are readable; not: a (node_unknown), b (node_unknown)"
        in (steps["address"]["found"])
    )
    (row,) = json.loads(qulink("read", config, "press-1", "door", "--json").stdout)
    assert (row["value"], row["raw"], row["quality"]) == ("门", "门", "good")


@pytest.mark.timeout(300)
async def test_a_wrong_password_fails_in_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QULINK_TEST_PASSWORD", "wrong-password")
    with ForeignServer(tmp_path, user="operator", password="right") as server:
        login = {"username": "operator", "password": {"env": "QULINK_TEST_PASSWORD"}}
        config = configured(tmp_path, "opcua", {"url": server.url, **login}, [tag("x", "String")])
        code, steps = await asyncio.to_thread(steps_of, config)
    assert (code, steps["connect"]["fault"]) == (1, "refused")
    assert "wrong-password" not in json.dumps(steps)
    assert "address" not in steps
