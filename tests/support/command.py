"""``qulink`` in the process of the tests: the same command line, without an interpreter of its own.

For what a command says and does. Signals, ends that leave something open, locks between processes
and what a start loads want the real thing: ``python -m gateway``.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from typer.testing import CliRunner

from gateway.cli.main import build


def qulink(
    *words: object,
    said: str = "",
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
    merged: bool = False,
) -> CompletedProcess[str]:
    """Run a command to its end; what a process would show as a traceback is raised.

    Args:
        words: program arguments.
        said: what it finds at its standard input, which is no terminal.
        env: variables beside those of the tests.
        folder: where it is typed; None: where the tests are.
        merged: what it says of errors stands among the rest, as on a terminal.
    """
    arguments = [str(word) for word in words]

    def run() -> CompletedProcess[str]:
        with _here(folder):
            runner = CliRunner(env=env)
            done = runner.invoke(build(arguments), arguments, input=said, prog_name="qulink")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        told = (done.output, "") if merged else (done.stdout, done.stderr)
        return CompletedProcess(arguments, done.exit_code, *told)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return run()
    with ThreadPoolExecutor(1) as beside:  # a command has a loop of its own
        return beside.submit(run).result()


@contextmanager
def _here(folder: Path | None) -> Iterator[None]:
    """In a folder, and without a way to become another program."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("execv", "execve"):
            patch.setattr(os, name, _becomes)
        if folder is not None:
            patch.chdir(folder)
        yield


def _becomes(program: str, *_: object) -> None:
    raise AssertionError(f"the tests would become {program}: start this one as a process")
