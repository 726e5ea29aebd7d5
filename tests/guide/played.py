"""A guide as a script: its files are written, its commands run, what they say is held against it.

``python -m tests.guide.played PAGE …`` writes what they say now into the pages.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.command import qulink
from tests.support.peers import free_port
from tests.support.waiting import wait_until

BY_ID = "/dev/serial/by-id"
"""Where ports stand on the page."""
CONSOLE = "127.0.0.1:8081"
"""The gateway's console on the page."""
OPCUA = "opc.tcp://192.0.2.10:4840"
"""An OPC UA server on the page."""
_LIST, _DEVICES = "qulink device list gateway.yaml", 2
REST = "…\n"
"""Begins a text of which only the end is on the page."""
_WIDE = {"COLUMNS": "200"}
"""As wide as the widest table of the page."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TEXT = re.compile(r"```text\n(.*?)```", re.DOTALL)
_INLINE = re.compile(r"`(qulink [^`]*)`")
_FILE = re.compile(r"`([\w-]+\.\w+)`[^`\n]*:\n\n$")
_UNLIKE = (
    (re.compile(r"[ \t]+"), " "),
    (re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.,]+(\+\d\d:\d\d)?"), "TIME"),
    (re.compile(r"\b(cli-)?[0-9a-f]{32,64}\b"), "HASH"),
    (re.compile(r"(│ up .* of \d+ │) \d+ │ \d+ │"), r"\1 N │ N │"),
    (re.compile(r"by [\w-]+ \(command line\)"), "by ME (command line)"),
    (re.compile(r"\d+ addresses are undecided"), "N addresses are undecided"),
    (re.compile(r"[━─]+"), "─"),
)
"""What is another time or on another machine different: times, ids, counts of polls, widths."""


@dataclass
class Block:
    """A block of the page: its language, its text, and the file that it is, if any."""

    language: str
    text: str
    file: str


def blocks(page: str) -> list[Block]:
    """The blocks of a page in their order."""
    found = []
    for match in _BLOCK.finditer(page):
        named = _FILE.search(page[: match.start()])
        found.append(Block(match[1], match[2], named[1] if named else ""))
    return found


def inline(page: str) -> list[str]:
    """The commands that stand within a sentence or a table."""
    return list(dict.fromkeys(_INLINE.findall(_BLOCK.sub("", page))))


def alike(text: str) -> str:
    """A text without what may differ."""
    for pattern, instead in _UNLIKE:
        text = pattern.sub(instead, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


@dataclass
class Stage:
    """Where a page is played.

    Attributes:
        folder: of its files.
        line: folder with ``by-id/``.
        console: address of the gateway's console.
        opcua: endpoint of an OPC UA server.
    """

    folder: Path
    line: Path
    console: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    opcua: str = OPCUA

    def here(self, text: str) -> str:
        """What the page says, for this machine."""
        text = text.replace(BY_ID, str(self.line / "by-id")).replace(CONSOLE, self.console)
        return text.replace(OPCUA, self.opcua)

    def there(self, text: str) -> str:
        """What was said here, as the page has it."""
        text = text.replace(str(self.line / "by-id"), BY_ID).replace(self.console, CONSOLE)
        return text.replace(str(self.folder), "/home/me")

    def write(self, block: Block) -> None:
        """Make a file of the page."""
        (self.folder / block.file).write_text(self.here(block.text), encoding="utf-8")

    def done(self, line: str) -> subprocess.CompletedProcess[str]:
        """A command that came to its end, with all that it said."""
        first, *rest = shlex.split(self.here(line), comments=True)
        if first == "qulink":
            return qulink(*rest, env=_WIDE, folder=self.folder, merged=True)
        return subprocess.run(
            [first, *rest],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )

    def said(self, commands: str) -> str:
        """What commands say, one after the other; they must come to their end."""
        return self.there("".join(self.done(line).stdout for line in commands.splitlines()))


@contextmanager
def line_in(folder: Path) -> Iterator[Path]:
    """The foreign line at work; gives its folder."""
    command = [sys.executable, "-m", "tests.guide.foreign_line", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield folder
        finally:
            process.kill()


@contextmanager
def running(stage: Stage, command: str) -> Iterator[Path]:
    """A gateway at work; gives its log."""
    log = stage.folder.parent / "run.log"
    _, *rest = shlex.split(stage.here(command), comments=True)
    words = [sys.executable, "-m", "gateway", *rest]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with (
        log.open("w") as target,
        subprocess.Popen(words, cwd=stage.folder, env=environment, stderr=target) as process,
    ):
        try:
            wait_until(lambda: stage.said(_LIST).count("│ up ") == _DEVICES, "devices that are up")
            yield log
        finally:
            process.terminate()
            process.wait(60)


def is_run(command: str) -> bool:
    """Whether a command goes on until somebody ends it."""
    return command.startswith("qulink run ")


def play(page: str, stage: Stage) -> Iterator[tuple[str, str, str]]:
    """Commands of a page, what it says that they say, and what they said, one after the other.

    A gateway that is started runs until the end.
    """
    found = blocks(page)
    with ExitStack() as stack:
        for block, after in zip(found, [*found[1:], Block("", "", "")], strict=True):
            if block.file:
                stage.write(block)
            elif is_run(block.text):
                stack.enter_context(running(stage, block.text))
                yield block.text, "", ""
            elif block.language == "console":
                yield block.text, after.text, stage.said(block.text)


def cut(said: str, page: str) -> str:
    """As much of the end of what was said as the page has, if it has the end only."""
    if not page.startswith(REST):
        return said
    lines = said.splitlines(keepends=True)
    while lines and "→" in lines[-1]:  # a request whose answer is on its way
        lines.pop()
    return REST + "".join(lines[-(page.count("\n") - 1) :])


def _renew(pages: list[Path]) -> None:
    """Play the first page; what was said goes into all of them."""
    text = pages[0].read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        line = Path("/tmp/qulink")  # as long as the path on the page
        (stage := Stage(Path(folder) / "me", line)).folder.mkdir()
        with line_in(line):
            told = [said for command, _, said in play(text, stage) if not is_run(command)]
        shutil.rmtree(line)
    for file in pages:
        texts = iter(told)
        text = _TEXT.sub(lambda m: f"```text\n{cut(next(texts), m[1])}```", file.read_text("utf-8"))  # noqa: B023
        file.write_text(text, "utf-8")


if __name__ == "__main__":
    _renew([Path(name) for name in sys.argv[1:]])
