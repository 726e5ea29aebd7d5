"""Run a command under the system-call filter and environment of a systemd unit.

The kernel's own filter, as systemd sets it up, but sterner: what a unit would refuse kills the
process here, so that a test sees it. As a program:
``python confined.py NAME,NAME,… COMMAND …``.
"""

import ctypes
import errno
import os
import re
import subprocess
import sys
from pathlib import Path

KILL_PROCESS = 0x80000000
REFUSE = 0x00050000 | errno.EPERM
ALLOW = 0x7FFF0000
DONE_WITHOUT = ("adjtimex", "clock_adjtime")
"""What the edge asks for and does without where a unit refuses it: the state of the clock."""
UNKNOWN = -1


def command(unit: Path, analyze: str, words: list[str]) -> list[str]:
    """``words`` behind the filter of a unit; ``analyze`` is systemd-analyze."""
    names = ",".join(sorted(allowed(unit, analyze)))
    return [sys.executable, __file__, names, *words]


def allowed(unit: Path, analyze: str) -> set[str]:
    """The system calls that a unit's ``SystemCallFilter=`` lines leave, in their order."""
    names: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit.read_text(), re.MULTILINE):
        members = {name for word in line.lstrip("~").split() for name in _members(word, analyze)}
        names = names - members if line.startswith("~") else names | members
    return names


def _members(word: str, analyze: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    listed = subprocess.check_output([analyze, "syscall-filter", word], text=True)
    entries = [line.strip() for line in listed.splitlines()[1:]]
    return {
        name for entry in entries if entry and entry[0] != "#" for name in _members(entry, analyze)
    }


def environment(unit: Path, state: Path) -> dict[str, str]:
    """What a service finds: the unit's settings and systemd's, nothing of this process."""
    settings = re.findall(r"^Environment=(\w+)=(.*)$", unit.read_text(), re.MULTILINE)
    given = {name: value.replace("%S", str(state)) for name, value in settings}
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"} | given


def confine(names: list[str]) -> None:
    """Allow this process and its children no other system calls, for good.

    Raises:
        OSError: the kernel does not take the filter.
    """
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(KILL_PROCESS)))
    actions = dict.fromkeys(DONE_WITHOUT, REFUSE) | dict.fromkeys(names, ALLOW)
    if os.geteuid() == 0:  # SQLite then gives its files to their owner; a service is not root
        actions["fchown"] = REFUSE
    for name, action in actions.items():
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number != UNKNOWN:  # of another architecture
            library.seccomp_rule_add(context, ctypes.c_uint32(action), number, 0)
    if library.seccomp_load(context) != 0:
        raise OSError("the kernel does not take the filter")


if __name__ == "__main__":
    confine(sys.argv[1].split(","))
    os.execv(sys.argv[2], sys.argv[2:])
