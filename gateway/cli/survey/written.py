"""Configuration files that a command writes: all of them, or none."""

from collections.abc import Callable, Mapping
from pathlib import Path

from gateway.durable import replace_file

_READABLE = 0o644
_PERMISSIONS = 0o7777


def put(files: Mapping[Path, bytes], check: Callable[[], object]) -> None:
    """Write files one by one, the one that names the others last, and undo it if they do not fit.

    Args:
        files: what to write, in this order.
        check: raises if the configuration is wrong now; then everything is as it was.

    Raises:
        OSError: the disk does not take them; everything is as it was.
    """
    before = {path: _contents(path) for path in files}
    try:
        for path, content in files.items():
            replace_file(path, content, _mode(path))
        check()
    except BaseException:
        _restore(before)
        raise


def _restore(before: Mapping[Path, bytes | None]) -> None:
    for path, content in reversed(list(before.items())):
        if content is None:
            path.unlink(missing_ok=True)
        elif path.read_bytes() != content:
            replace_file(path, content, _mode(path))


def _contents(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _mode(path: Path) -> int:
    return path.stat().st_mode & _PERMISSIONS if path.exists() else _READABLE
