"""How many machines a second a node registers by its HTTP interface: batches, real processes.

The node is ``qulink node`` with SQLite, by itself; what it is sent is encoded beforehand.
"""

import asyncio
import json
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from benchmarks.processes import HERE
from benchmarks.usage import snapshot
from edge_config.models.identifiers.node import NodeConfig
from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.keeping.users import Role
from gateway.identifier.node.program import database_of, terms_of
from gateway.identifier.node.rights import accounts, allotting
from gateway.identifier.node.rights.principal import Principal, Visit
from gateway.identifier.registering.snms.templates import template_body
from gateway.identifier.template import EQUIPMENT_ITEMS, TYPES, equipment_values

PREFIX, PORT = "88.999.QZ01", 26_430
BATCH, BATCHES, CLIENTS = 1_000, 60, 2
_TEXTS = {
    "equipName": "数控磨床",
    "equipModel": "M7130",
    "manufacturer": "虚构机床厂",
    "enterpriseUscc": "91330822MA0000015W",
    "productionDate": "2020-01-01",
    "location": "一车间 三线",
    "accessProtocol": "Modbus-TCP",
    "runStatus": "在用",
    "updateTime": "2026-11-01 10:00:00",
}
Result = dict[str, object]


def registering(folder: Path) -> Result:
    """Machines a second, by the clock and by the node's own processor time."""
    config = NodeConfig(prefix="88.999", data_dir=folder, listen=f"127.0.0.1:{PORT}")
    secret = _settled(config)
    file = folder / "node.yaml"
    limits = "limits: {requests_per_minute: 1000000}"
    file.write_text(f'prefix: "88.999"\ndata_dir: "{folder}"\nlisten: {config.listen}\n{limits}\n')
    with ExitStack() as stack:
        node = HERE.run(stack, "-m", "gateway", "node", str(file))
        return asyncio.run(_sent(node.pid, secret))


def _settled(config: NodeConfig) -> str:
    """An enterprise with its prefix and an application, whose secret is returned."""
    database = database_of(config)
    visit = Visit(Principal("bench", Role.ADMINISTRATOR), terms_of(config), 0)
    database.run_now(accounts.add, visit, "bench", Role.ENTERPRISE, "bench")
    database.run_now(allotting.apply, visit, PREFIX, "bench")
    database.run_now(allotting.decide, visit, PREFIX, State.ALLOTTED)
    _, secret = database.run_now(accounts.make_credential, visit, "bench", "bench")
    database.close()
    return secret


async def _sent(pid: int, secret: str) -> Result:
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{PORT}", timeout=120, trust_env=False
    ) as http:
        await _log_in(http, secret)
        template = template_body(PREFIX, "1", EQUIPMENT_ITEMS)
        (await http.post("/snms/api/v5/template", json=template)).raise_for_status()
        bodies = [_batch(number) for number in range(BATCHES)]
        before = snapshot(pid)
        await asyncio.gather(*(_post(http, bodies[at::CLIENTS]) for at in range(CLIENTS)))
        after = snapshot(pid)
    count = BATCH * BATCHES
    return {
        "name": f"identifiers registered in batches of {BATCH}, SNMS over HTTP, SQLite",
        "per_s": round(count / (after.at_s - before.at_s)),
        "per_s_of_its_cpu": round(count / (after.cpu_s - before.cpu_s)),
    }


async def _log_in(http: httpx.AsyncClient, secret: str) -> None:
    until_s = time.monotonic() + 60
    while True:
        try:
            login = {"username": "bench", "password": secret}
            answer = (await http.post("/identity/token", json=login)).json()
        except httpx.TransportError:
            if time.monotonic() > until_s:
                raise
            await asyncio.sleep(0.1)
        else:
            http.headers["authorization"] = f"Bearer {answer['data']['token']}"
            return


def _batch(number: int) -> bytes:
    return json.dumps([_body(number * BATCH + at) for at in range(BATCH)]).encode()


def _body(number: int) -> dict[str, object]:
    values = equipment_values(_TEXTS | {"serialNo": f"S{number}", "assetNo": f"A{number}"})
    return {
        "handle": f"{PREFIX}/451.20261101.{number:06d}",
        "templateVersion": "1",
        "value": [
            {
                "index": at,
                "type": TYPES[at],
                "data": {"format": "string", "value": text},
                "auth": "",
            }
            for at, text in values.items()
        ],
    }


async def _post(http: httpx.AsyncClient, bodies: list[bytes]) -> None:
    for body in bodies:
        answer = await http.post("/identityv2/data/batchCreate", content=body)
        done = [one["msg"] for one in answer.json()["data"]]
        if done != ["成功"] * BATCH:
            raise ValueError(f"not all were registered: {done[:3]} …")
