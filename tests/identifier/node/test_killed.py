"""A node that is killed at any moment: what it confirmed is there, nothing is there twice."""

import asyncio
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from edge_config.models.identifiers.node import NodeConfig, NodeDatabase
from gateway.identifier.node.keeping import records
from gateway.identifier.node.program import database_of
from tests.identifier.node.acting import template
from tests.identifier.node.running import body, configured, logged_in, running, settled
from tests.support.peers import wait_for_port

CLIENTS, BATCH = 3, 40


@dataclass
class Told:
    """What a node was asked for, and what it confirmed."""

    asked: list[list[str]] = field(default_factory=list)
    registered: set[str] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    confirmed: int = 0


def started(config: NodeConfig, folder: Path, stage: str, number: int) -> subprocess.Popen[bytes]:
    """The node as a process, which dies at a stage."""
    file = folder / "node.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "prefix": config.prefix,
                "data_dir": str(config.data_dir),
                "database": {"url": config.database.url},
                "listen": config.listen,
                "limits": {"requests_per_minute": 1_000_000},
            }
        )
    )
    words = [sys.executable, "-m", "tests.support.dying_node", stage, str(number), str(file)]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    wait_for_port(int(config.listen.rpartition(":")[2]))
    return process


async def use(http: httpx.AsyncClient, client: int, told: Told) -> None:
    """Register and withdraw, batch by batch, until the node is gone."""
    data = "/identityv2/data"
    with suppress(httpx.HTTPError):
        for turn in range(1_000):
            suffixes = [f"{client}.{turn}.{number}" for number in range(BATCH)]
            told.asked.append(suffixes)
            many = [body(one) for one in suffixes]
            done = (await http.post(f"{data}/batchCreate", json=many)).json()["data"]
            told.registered |= {one["handle"] for one in done if one["msg"] == "成功"}
            gone = [done[0]["handle"]]
            done = (await http.request("DELETE", f"{data}/batchDelete", json=gone)).json()["data"]
            told.withdrawn |= {one["handle"] for one in done if one["code"] == 1}
            told.confirmed += 1


async def used(config: NodeConfig, secret: str, process: subprocess.Popen[bytes]) -> Told:
    """What became of clients at a node that dies meanwhile, by itself or by the test."""
    told = Told()
    async with logged_in(f"http://{config.listen}", secret) as http:
        made = await http.post("/snms/api/v5/template", json=template("88.999.QZ01"))
        assert made.json()["status"] == 1
        work = asyncio.gather(*(use(http, client, told) for client in range(CLIENTS)))
        while not work.done():
            if told.confirmed >= 3 * CLIENTS:
                process.kill()
            await asyncio.sleep(0.01)
        await work
    assert await asyncio.to_thread(process.wait) == -signal.SIGKILL
    return told


def kept(config: NodeConfig, told: Told) -> list[list[bool]]:
    """Of each batch, which of its identifiers are or were there."""
    database = database_of(config)
    try:
        return [
            [f"88.999.QZ01/{one}" in taken for one in suffixes]
            for suffixes in told.asked
            for taken in [
                database.run_now(records.taken, [f"88.999.QZ01/{one}" for one in suffixes])
            ]
        ]
    finally:
        database.close()


@pytest.mark.parametrize(
    ("stage", "number", "url"),
    [
        ("added", 3, "sqlite"),
        ("withdrawn", 3, "sqlite"),
        ("committed", 11, "sqlite"),
        ("never", 0, "postgresql"),
    ],
    indirect=["url"],
)
async def test_what_was_confirmed_stays_and_nothing_is_there_twice(
    stage: str, number: int, url: str, tmp_path: Path
) -> None:
    config = configured(tmp_path / "data", database=NodeDatabase(url=url))
    secret = settled(config)
    process = await asyncio.to_thread(started, config, tmp_path, stage, number)
    told = await used(config, secret, process)
    for whole in kept(config, told):
        assert len(set(whole)) == 1, "a batch is one transaction"
    async with running(config) as at, logged_in(at, secret) as http:
        results = [await registered(http, suffixes) for suffixes in told.asked]
        for one in told.withdrawn:
            detail = await http.get("/identityv2/data/detail", params={"handle": one})
            assert detail.json()["message"] == "没有找到标识"
    for done in results:
        confirmed = {one["handle"] for one in done} & told.registered
        assert all(one["msg"] == "标识已存在" for one in done if one["handle"] in confirmed)
        assert len({one["msg"] for one in done}) == 1
    assert all(all(whole) for whole in kept(config, told))


async def registered(http: httpx.AsyncClient, suffixes: list[str]) -> list[dict[str, Any]]:
    """Register again what may be there, as a client does that heard no answer."""
    many = [body(one) for one in suffixes]
    answer = await http.post("/identityv2/data/batchCreate", json=many)
    return list(answer.json()["data"])
