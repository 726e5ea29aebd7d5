"""The preloaded library does to one process, and to files of one folder, what it should."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.bent.preload import Plan

WRITES = """
import os, sys
me, others = (os.open(path, os.O_WRONLY | os.O_CREAT) for path in sys.argv[1:3])
print("ready", flush=True)
sys.stdin.readline()
for at in range(10):
    os.write(others, b"12345678")
    try:
        os.write(me, b"12345678")
        os.fsync(me)
    except OSError as error:
        print(error.errno, flush=True)
print("end", flush=True)
"""


class Writer:
    """Writes eight bytes ten times into a file of the folder and one elsewhere, with a sync."""

    def __init__(self, folder: Path) -> None:
        (folder / "meant").mkdir()
        self.meant, self.other = folder / "meant" / "file", folder / "other"
        self.plan = Plan(folder / "plan", folder / "meant")
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITES, str(self.meant), str(self.other)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.plan.environment,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def outcome(self) -> tuple[int, str]:
        said, _ = self.process.communicate("\n", timeout=60)
        return self.process.returncode, said


@pytest.mark.parametrize(
    ("call", "torn", "size"), [(1, False, 0), (1, True, 4), (2, True, 8), (9, False, 32)]
)
def test_it_dies_in_the_nth_call(tmp_path: Path, call: int, torn: bool, size: int) -> None:
    writer = Writer(tmp_path)
    writer.plan.mean(writer.process.pid)
    writer.plan.kill_at(call, torn=torn)
    assert writer.outcome() == (-signal.SIGKILL, "")
    assert writer.meant.stat().st_size == size
    assert writer.other.stat().st_size == (call + 1) // 2 * 8
    assert writer.plan.calls == call


def test_every_call_fails_for_a_while(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.plan.mean(writer.process.pid)
    writer.plan.fail_with(errno.EIO)
    assert writer.outcome() == (0, f"{errno.EIO}\n" * 10 + "end\n")
    assert writer.meant.stat().st_size == 0
    assert writer.other.stat().st_size == 80


def test_another_process_is_left_alone(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.plan.mean(1)
    writer.plan.fail_with(errno.EIO)
    assert writer.outcome() == (0, "end\n")
    assert writer.plan.calls == 0


def test_what_is_spared_works(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.plan.mean(writer.process.pid)
    writer.plan.kill_at(1)
    writer.plan.fail_with(errno.ENOSPC)
    writer.plan.spare()
    assert writer.outcome() == (0, "end\n")
    assert writer.meant.stat().st_size == 80
    assert writer.plan.calls == 20
