"""Processes of tests that are forked from one that has collected all of them: ``--forks N``.

Each process of pytest-xdist imports and collects everything itself. In a fresh clone, five of them
took 72 s of processor time for that and five processes forked afterwards 22 s, side by side on two
busy cores; where modules are compiled, 49 and 10 s. Here it is done once. Whoever is idle is given
the next file, and the reports come back over a pipe.
"""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NoReturn

import pytest
from _pytest.capture import CaptureManager
from _pytest.tmpdir import TempPathFactory


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--forks``."""
    words = "run files side by side in N processes that are forked after the collection"
    parser.addoption("--forks", type=int, default=0, metavar="N", help=words)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run all that was collected; without ``--forks``, pytest does that itself."""
    many: int = session.config.getoption("--forks")
    if not many or session.testsfailed or session.config.getoption("collectonly"):
        return None
    files = [list(items) for _, items in groupby(session.items, key=lambda item: item.path)]
    _Forks(session, files).run(many)
    if session.shouldfail:  # enough tests have failed, or somebody has asked
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)
    return True


@dataclass
class _Fork:
    pid: int
    file: int = 0
    test: int = 0
    """In the file; what it began last."""


class _Forks:
    """The process that collected: it gives out files and takes in reports."""

    def __init__(self, session: pytest.Session, files: Sequence[list[pytest.Item]]) -> None:
        self._session = session
        self._files = files
        self._next = 0
        self._running: dict[Connection, _Fork] = {}

    def run(self, many: int) -> None:
        """Until all files have been run, or enough tests have failed."""
        try:
            for number in range(many):
                self._fork(number, many)
            while self._running:
                for pipe in wait(list(self._running)):
                    assert isinstance(pipe, Connection)
                    self._hear(pipe)
        finally:
            for pipe, fork in self._running.items():  # when interrupted
                os.kill(fork.pid, signal.SIGINT)
                os.waitpid(fork.pid, 0)
                pipe.close()

    def _fork(self, number: int, many: int) -> None:
        base = self._session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
        os.environ |= {"PYTEST_XDIST_WORKER": f"gw{number}", "PYTEST_XDIST_WORKER_COUNT": str(many)}
        ours, theirs = Pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            for other in (ours, *self._running):
                other.close()
            _work(self._session, self._files, theirs, base / f"popen-gw{number}")
        theirs.close()
        self._running[ours] = _Fork(pid)

    def _hear(self, pipe: Connection) -> None:
        fork = self._running[pipe]
        try:
            kind, what = pipe.recv()
        except (EOFError, ConnectionResetError):
            self._ended(pipe)
            return
        match kind:
            case "idle":
                fork.file = self._given()
                pipe.send(fork.file)
            case "begun":
                fork.test = what
            case "report":
                hook = self._session.config.hook
                report = hook.pytest_report_from_serializable(
                    config=self._session.config, data=what
                )
                hook.pytest_runtest_logreport(report=report)

    def _given(self) -> int:
        """The file that is run next; -1: no more."""
        self._next += 1
        has_ended = self._next > len(self._files)
        if has_ended or self._session.shouldfail or self._session.shouldstop:
            return -1
        return self._next - 1

    def _ended(self, pipe: Connection) -> None:
        fork = self._running.pop(pipe)
        pipe.close()
        code = os.waitstatus_to_exitcode(os.waitpid(fork.pid, 0)[1])
        if code:
            test = self._files[fork.file][fork.test]
            words = f"its process ended with {code}; what else its file has was not run"
            report = pytest.TestReport(test.nodeid, test.location, {}, "failed", words, "call")
            self._session.config.hook.pytest_runtest_logreport(report=report)


class _Told:
    """Passes reports on to the process that collected."""

    def __init__(self, config: pytest.Config, pipe: Connection) -> None:
        self._config = config
        self._pipe = pipe

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed or not report.nodeid.endswith(_End.NAME):
            hook = self._config.hook
            data = hook.pytest_report_to_serializable(config=self._config, report=report)
            self._pipe.send(("report", data))


class _End(pytest.Item):
    """Behind the tests of each file, so that only what is of the session outlives it."""

    NAME = "(end)"

    def runtest(self) -> None:
        """It is no test."""


def _work(
    session: pytest.Session, files: Sequence[list[pytest.Item]], pipe: Connection, folder: Path
) -> NoReturn:
    """What a forked process does; it leaves nothing to be done by the copies that it holds."""
    code = 1
    try:
        _become_own(session.config, folder)
        session.config.pluginmanager.register(_Told(session.config, pipe))
        _run(session, files, pipe)
        code = 0
    except BaseException:  # noqa: BLE001 - it ends here, whatever it was
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(code)


def _become_own(config: pytest.Config, folder: Path) -> None:
    """Have captured output, folders and a terminal that others do not share.

    An interrupt from the terminal is for the process that collected, which passes it on.
    """
    os.setpgid(0, 0)
    captured: CaptureManager = config.pluginmanager.getplugin("capturemanager")
    captured.stop_global_capturing()
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 1)
    captured.start_global_capturing()
    captured.suspend_global_capture()
    folder.mkdir()
    made: TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
    made._basetemp = folder


def _run(session: pytest.Session, files: Sequence[list[pytest.Item]], pipe: Connection) -> None:
    protocol = session.config.hook.pytest_runtest_protocol
    end = _End.from_parent(session, name=_End.NAME)
    try:
        while True:
            pipe.send(("idle", None))
            if (at := pipe.recv()) < 0:
                break
            for number, item in enumerate(files[at]):
                pipe.send(("begun", number))
                protocol(item=item, nextitem=[*files[at], end][number + 1])
    finally:
        protocol(item=end, nextitem=None)
