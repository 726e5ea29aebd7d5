"""What a gateway makes of its configuration, and of what the buffer remembers of another."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from edge_config.loading.load import load_gateway
from gateway.core.batch import NEVER
from gateway.core.slots import SLOTS
from gateway.core.status import Reason
from gateway.drivers.registry import installed
from gateway.edge.app import Edge, compose
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.incoming import Commit, GroupProgress
from gateway.edge.device.model import ModelCompiler
from tests.edge.plant import USCC, Plant, loaded
from tests.support.consumers import for_city

MONTH_MS = 30 * 86_400_000


@contextlib.contextmanager
def composed(folder: Path, device: str) -> Iterator[Edge]:
    """A gateway with this device, as it stands before anything runs."""
    buffer = Buffer.open(folder / "b.db", for_city(1 << 30, 1 << 50))
    with contextlib.closing(buffer):
        yield compose(loaded(folder, id=device), {"plant": Plant().spec()}, buffer)


async def test_a_device_that_was_taken_out_for_a_month_owes_nothing_for_it(tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    seen = GroupProgress(now_ms - MONTH_MS, now_ms - MONTH_MS + 7)
    with composed(tmp_path, "d") as edge:
        edge.buffer.append(Commit(progress={("gone", "g"): seen}), now_ms)
    with composed(tmp_path, "d") as edge:
        await edge.recorder.commit()
        assert edge.buffer.progress()["gone", "g"] == GroupProgress(NEVER, seen.newest_ms)
    with composed(tmp_path, "gone") as edge:
        edge.recorder.stop()
        await edge.recorder.run()
        assert [gap for gap in edge.buffer.gaps() if gap.cause is Reason.GATEWAY_DOWN] == []
        assert edge.buffer.totals().due == 0


def modbus_plant(folder: Path, endpoints: list[tuple[str, int]]) -> Path:
    """A gateway that reads a unit at each of these endpoints once a second."""
    group = {
        "name": "g",
        "interval_ms": 1000,
        "tags": [{"name": "t", "address": "holding:0:int16"}],
    }
    profile = {"name": "p", "driver": "modbus", "source": "controller", "groups": [group]}
    devices = [
        {
            "id": f"d{at}",
            "driver": "modbus",
            "profile": "p",
            "asset_no": f"A{at}",
            "connection": {"host": host, "unit": unit},
        }
        for at, (host, unit) in enumerate(endpoints)
    ]
    gateway = {"id": "gw", "enterprise_uscc": USCC}
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump({"gateway": gateway, "profiles": [profile], "devices": devices}))
    return file


def test_units_behind_one_endpoint_keep_apart_and_others_share_wake_ups(tmp_path: Path) -> None:
    units = [("line", unit) for unit in range(1, SLOTS + 1)]
    alone = [(f"plc-{number}", 1) for number in range(SLOTS)]
    specs = installed()
    read = load_gateway(modbus_plant(tmp_path, units + alone), specs)
    compiler = ModelCompiler(read.config.gateway)
    models = [compiler.compile(device, specs["modbus"]) for device in read.devices]
    phases = [model.groups[0].phase_ms for model in models]
    assert len(set(phases[:SLOTS])) == SLOTS
    assert len(set(phases[SLOTS:])) < SLOTS // 2
