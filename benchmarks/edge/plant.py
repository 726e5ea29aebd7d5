"""What is measured against: a plant of many devices, and the edge that reads it."""

import json
import signal
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from benchmarks.processes import HERE
from gateway.drivers.opcua.connecting.certificates import (
    OWN_CERTIFICATE_FILE,
    OWN_FILE,
    own_certificate,
)
from simulators.bench.addresses import address
from tests.support.peers import free_port, wait_for_port

USCC = "91330822MA0000015W"
GATEWAY = "gw-bench"
_PATIENCE_S = 60.0
_TRIALS = 20
"""Readings in which a window is found: with 1, 2, 4 … requests, three and more of each."""


@dataclass(frozen=True, slots=True)
class Running:
    """A simulator that listens.

    Attributes:
        process: of it.
        port: the one it listens on at every address.
        output: file of what it prints.
    """

    process: subprocess.Popen[bytes]
    port: int
    output: Path

    def report(self) -> dict[str, Any]:
        """What it has seen since the last report; see ``simulators.bench.watch``."""
        before = len(self.output.read_text().splitlines())
        self.process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            text = self.output.read_text()
            # The file may be read while a line is being written.
            if text.endswith("\n") and len(text.splitlines()) > before:
                seen: dict[str, Any] = json.loads(text.splitlines()[-1])
                return seen
            time.sleep(0.02)
        raise TimeoutError("the simulator does not report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Devices of one profile, polled or subscribed; every value changes all the time.

    Attributes:
        addresses: endpoints, loopback addresses from 127.0.0.1 on.
        units: devices at each.
        tags: of each device; float32 in Modbus, Double in OPC UA.
        interval_ms: how often each is read.
        window: Modbus requests in flight on each connection; None: the driver finds out.
        protocol: what the devices speak.
        encrypted: OPC UA only: Basic256Sha256, signed and encrypted.
    """

    addresses: int
    units: int
    tags: int
    interval_ms: int = 1000
    window: int | None = 1
    protocol: Literal["modbus", "opcua"] = "modbus"
    encrypted: bool = False

    @property
    def devices(self) -> int:
        """How many there are."""
        return self.addresses * self.units

    @property
    def finding_s(self) -> float:
        """How long a driver that finds out its window may try others."""
        return 0.0 if self.window else _TRIALS * self.interval_ms / 1000

    @property
    def values_per_s(self) -> float:
        """Values that are due each second."""
        return self.devices * self.tags * 1000 / self.interval_ms

    def start(self, stack: ExitStack, folder: Path) -> Running:
        """Start its simulator and wait until it listens.

        Args:
            stack: what it belongs to.
            folder: where what it prints goes.
        """
        port, output = free_port(), folder / "simulator.log"
        sizes = {
            "port" if self.protocol == "modbus" else "opcua-port": port,
            "addresses": self.addresses,
            "devices": self.units,
            "tags": self.tags,
            "interval-ms": self.interval_ms,
        }
        options = [text for name, size in sizes.items() for text in (f"--{name}", str(size))]
        if self.encrypted:
            own_certificate(folder / "server")
            options += ["--identity", str(folder / "server" / OWN_FILE)]
        kind = "bench" if self.protocol == "modbus" else "bench-opcua"
        process = HERE.run(stack, "-m", "simulators", kind, *options, output=output)
        wait_for_port(port, _PATIENCE_S)
        return Running(process, port, output)

    def write_edge(self, folder: Path, port: int, mqtt_port: int) -> Path:
        """Write the configuration of an edge that reads it, in words of every version measured.

        Args:
            folder: where the configuration and the buffer go.
            port: where the simulator listens.
            mqtt_port: where the broker listens.

        Returns:
            The configuration file.
        """
        tags = [
            {"name": f"t{number}", "address": self._address(number)} for number in range(self.tags)
        ]
        group = {"name": "all", "interval_ms": self.interval_ms, "tags": tags}
        profile = {"name": "bench", "driver": self.protocol, "source": "controller"}
        config = {
            "gateway": {"id": GATEWAY, "enterprise_uscc": USCC, "synthetic": True},
            "profiles": [profile | {"groups": [group]}],
            "devices": [self._device(number, port, folder) for number in range(self.devices)],
            "northbound": [{"url": f"mqtt://127.0.0.1:{mqtt_port}"}],
            "buffer": {"path": "buffer.db"},
        }
        file = folder / "gateway.yaml"
        file.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
        return file

    def _address(self, number: int) -> Any:
        if self.protocol == "opcua":
            return f"i={100_000 + number}|float64"
        return {"table": "holding", "address": 2 * number, "type": "float32"}

    def _device(self, number: int, port: int, folder: Path) -> dict[str, Any]:
        at, unit = divmod(number, self.units)
        return {
            "id": f"d{number + 1}",
            "driver": self.protocol,
            "profile": "bench",
            "asset_no": f"A{number + 1}",
            "connection": self._connection(address(at), port, unit + 1, folder),
        }

    def _connection(self, host: str, port: int, unit: int, folder: Path) -> dict[str, Any]:
        if self.protocol == "modbus":
            window = {} if self.window is None else {"window": self.window}
            return {"host": host, "port": port, **window, "unit": unit}
        url = {"url": f"opc.tcp://{host}:{port}/"}
        if not self.encrypted:
            return url
        trusted = str(folder / "server" / OWN_CERTIFICATE_FILE)
        own = {"certificate_dir": str(folder / "own"), "server_certificate": trusted}
        return url | own | {"security": "basic256sha256"}
