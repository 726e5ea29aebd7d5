"""Python processes that end with the benchmark."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path


def python(
    stack: ExitStack, *arguments: str, output: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start this interpreter with arguments; it is killed when the stack unwinds.

    Args:
        stack: what the process belongs to.
        arguments: of the interpreter.
        output: file for standard output and error; None throws them away.
    """
    target = stack.enter_context(output.open("wb")) if output else subprocess.DEVNULL
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=target, stderr=subprocess.STDOUT
    )
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait(timeout=10)
