"""A simulator as a process of its own, started as a user starts it."""

import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.peers import free_port

COMMAND = (sys.executable, "-m", "gateway", "simulate")
PATIENCE_S = 100.0
"""How long a busy machine may take to start or end a process."""


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulator and its ports on loopback."""

    process: subprocess.Popen[str]
    modbus: int
    opcua: int
    controllers: tuple[int, ...]
    ready: str


@contextmanager
def simulator(profile: str, *options: str) -> Iterator[Simulator]:
    """Start a simulator on free ports, wait until it says that it is ready, end it afterwards."""
    modbus, opcua, controllers = free_port(), free_port(), (free_port(), free_port())
    own = (word for port in controllers for word in ("--controller-port", str(port)))
    ports = ("--port", str(modbus), "--opcua-port", str(opcua), *own)
    with subprocess.Popen(
        [*COMMAND, profile, *ports, *options], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Simulator(process, modbus, opcua, controllers, _line(process))
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.1)[0]:
            return process.stdout.readline()
        assert process.poll() is None, f"ended with {process.returncode}"
    raise TimeoutError(f"not ready after {PATIENCE_S:g} s")
