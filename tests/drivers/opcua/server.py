"""OPC UA servers as processes that tests start, command, freeze, kill and start again."""

import json
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.drivers.api import Point
from gateway.drivers.opcua import SPEC
from gateway.drivers.opcua.config import Connection
from tests.support.peers import foreign_script, free_port, node
from tests.support.server import ServerProcess

URI = "http://qulink.test/plant"
_DEADLINE_S = 100.0
"""With a thousand items that change at once, the library's own server answers late."""


class OpcUaServer(ServerProcess):
    """A process that says ``ready`` and answers every command by ``ok``."""

    stop_signal = signal.SIGKILL  # also when it is frozen

    def __init__(self, command: list[str], **options: Any) -> None:
        self.port = free_port()
        self.options = {"port": self.port, **options}
        self._command = command

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None

    @property
    def url(self) -> str:
        """Endpoint of the server."""
        return f"opc.tcp://127.0.0.1:{self.port}"

    def connection(self, **fields: Any) -> Connection:
        """A connection to it."""
        return validated(Connection, {"url": self.url, **fields})

    def start(self, **options: Any) -> None:
        """Start it, with changed options if given, and wait until it is ready."""
        self.options |= options
        self._process = subprocess.Popen(
            [*self._command, json.dumps(self.options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._expect("ready")

    def tell(self, **command: Any) -> None:
        """Give it a command and wait until it is done."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        self._expect("ok")

    def set(self, name: str, value: object, **more: Any) -> None:
        """Set a variable."""
        self.tell(set=name, value=value, **more)

    def freeze(self) -> None:
        """Stop it from running without closing anything, as a hung controller."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """kill -9; harmless when it does not run."""
        self.stop(kill=True)

    def _expect(self, wanted: str) -> None:
        assert self._process is not None and self._process.stdout is not None
        deadline = time.monotonic() + _DEADLINE_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while selector.select(max(0.0, deadline - time.monotonic())):
                line = self._process.stdout.readline()
                if line.strip() == wanted:
                    return
                assert line, f"the server ended with {self._process.wait(10)}"
        raise TimeoutError(f"the server did not say {wanted!r}")


class ForeignServer(OpcUaServer):
    """One node-opcua server; options as in ``tests/foreign/opcua_server.js``."""

    def __init__(self, pki: Path, **options: Any) -> None:
        command = [node(), str(foreign_script("opcua_server.js"))]
        super().__init__(command, pki=str(pki), **options)


class AsyncuaServer(OpcUaServer):
    """One server of asyncua's project; see ``asyncua_server.py``."""

    def __init__(self) -> None:
        script = Path(__file__).parent / "asyncua_server.py"
        super().__init__([sys.executable, str(script)], uri=URI)


def point(name: str, type_name: str, uri: str = URI) -> Point:
    """A tag at the string node ``name``."""
    address = validated(SPEC.address, f"nsu={uri};s={name}|{type_name}")
    kind: Kind = SPEC.kind(address)
    return Point(name, kind, address)
