"""The foreign implementations of the Handle System, which are written in Java.

``make foreign-peers`` fetches their archives; what was fetched must be what ``jars.sha256`` names.
"""

import asyncio
import hashlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from tests.support.peers import FOREIGN, missing, program
from tests.support.waiting import SOON_S

JAVA = FOREIGN / "java"
JDK = "default-jdk-headless maven"
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m")
"""Programs that end soon are neither compiled well nor swept in parallel."""


def java(peer: str, *options: str) -> list[str]:
    """How a command begins that runs ``client`` or ``server``; a skip where Java is missing."""
    return [program("java", JDK), *_QUICK, *options, "-cp", str(_archives(peer) / "*")]


def _archives(peer: str) -> Path:
    folder = JAVA / peer / "jars"
    if not folder.exists():
        missing(f"the Java archives of {peer}", f"apt-get install {JDK}; make foreign-peers")
    lines = (JAVA / "jars.sha256").read_text().splitlines()
    pinned = {name: digest for digest, name in map(str.split, lines)}
    found = {str(path.relative_to(JAVA)): _sha256(path) for path in folder.glob("*.jar")}
    assert found == {name: digest for name, digest in pinned.items() if name.startswith(peer)}
    return folder


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Judge:
    """The foreign client in a process of its own, which takes orders (``Judge.java`` has them)."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        configured = f"-Dnet.handle.configDir={folder}"
        self._process = subprocess.Popen(
            [*java("client", configured), str(JAVA / "client" / "Judge.java")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=sys.stderr,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(SOON_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def do(self, what: str, **asked: Any) -> dict[str, Any]:
        """Have something done; octets go and come as hexadecimal digits."""
        wanted = {name: one.hex() if isinstance(one, bytes) else one for name, one in asked.items()}
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._lock:
            stdin.write(json.dumps({"do": what, **wanted}) + "\n")
            stdin.flush()
            answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    async def ask(self, what: str, **asked: Any) -> dict[str, Any]:
        """The same, while servers of this process go on answering."""
        return await asyncio.to_thread(self.do, "ask", request=what, **asked)
