"""A real gateway with its page, and a foreign Modbus server for its devices."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import yaml
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.edge.one_device import running
from tests.edge.plant import USCC
from tests.support.peers import free_port, wait_for_port

REGISTERS = 200
"""Holding registers that the meter has."""
WORDS = {0: 0x4365, 1: 0x0000, 2: 0x0000, 3: 0x4365, 4: 0xABC6, 5: 0, 10: 21}
"""229.0 V high word first, 229.0 low word first, 43,974 that reads as 2,881,880,064, and 21."""


@asynccontextmanager
async def meter(port: int = 0) -> AsyncIterator[int]:
    """Unit 1 of a foreign server, at a port or any; it gives its port."""
    held = [WORDS.get(at, at) for at in range(REGISTERS)]
    bits = [SimData(0, values=[False] * REGISTERS, datatype=DataType.BITS)]
    words = [SimData(0, values=held, datatype=DataType.REGISTERS)]
    port = port or free_port()
    server = ModbusTcpServer(SimDevice(1, (bits, bits, words, words)), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield port
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


def device(name: str, tags: Sequence[str | Mapping[str, Any]], **connection: Any) -> dict[str, Any]:
    """A device to configure; a tag is its mapping, or an address that it is named by."""
    written = [
        {"name": f"t{at}", "address": tag} if isinstance(tag, str) else dict(tag)
        for at, tag in enumerate(tags)
    ]
    return {"id": name, "tags": written, "connection": {"host": "127.0.0.1", **connection}}


@contextmanager
def box(folder: Path, *devices: dict[str, Any], **more: Any) -> Iterator[str]:
    """``qulink run`` of some devices; gives the address of its page."""
    port = free_port()
    profiles, configured = [], []
    for one in devices:
        group = {"name": "g", "interval_ms": 200, "tags": one["tags"]}
        driver = one.get("driver", "modbus")
        made = {"name": f"p{len(profiles)}", "driver": driver, "source": "controller"}
        profiles.append({**made, "groups": [group]})
        configured.append(
            {
                "id": one["id"],
                "driver": driver,
                "profile": made["name"],
                "asset_no": one["id"].upper(),
                "connection": one["connection"],
                "retry_max_ms": 1_000,
            }
        )
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC, "synthetic": True},
        "profiles": profiles,
        "devices": configured,
        "buffer": {"path": str(folder / "b.db")},
        **more,
        "console": {"listen": f"127.0.0.1:{port}", **more.get("console", {})},
    }
    config = folder / "gateway.yaml"
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    with running(config):
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
