"""Where files lie that somebody sent for an import, until it is made or given up.

Each upload is a folder of the city's data folder that its service alone reads. It is gone once its
import is made or given up, once the same person sends other files, or after a day.
"""

import hashlib
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway.city.ledger.uploading.outcome import Outcome, Upload
from gateway.durable import replace_file

FOLDER = "uploads"
KEPT_MS = 86_400_000
"""After so long an upload that nobody decided on is thrown away."""
ENDINGS = (".xlsx", ".xlsm", ".csv", ".txt", ".tsv")
MARKED = "marked.xlsx"
"""The file with what is wrong in it, if there is one."""
_FILES, _UPLOAD = "files", "upload.json"
_KEY = re.compile(r"[0-9a-f]{32}")
_FORBIDDEN = re.compile(r"[/\\\x00-\x1f\x7f-\x9f]")
_NAME_BYTES = 200

T = TypeVar("T", Upload, Outcome)


class NoTableError(ValueError):
    """A file of this name cannot be a table."""


def file_name(given: str) -> str:
    """A name as a person gave it, without what could lead out of a folder.

    Raises:
        NoTableError: it does not end as a table does.
    """
    name = Path(_FORBIDDEN.sub("_", given.rpartition("\\")[2].rpartition("/")[2])).name
    stem, dot, ending = name.rpartition(".")
    if f"{dot}{ending}".lower() not in ENDINGS:
        raise NoTableError(name[:80])
    short = stem.encode()[:_NAME_BYTES].decode(errors="ignore")
    return f"{short or '_'}{dot}{ending}"


class Uploads:
    """The uploads of a city.

    Args:
        data_dir: the city's data folder.
    """

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / FOLDER

    def begin(self, who: str) -> str:
        """A new empty upload of somebody, whose older ones go; gives its key."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for key in list(self.keys()):
            held = self.read(key)
            if held is not None and held.who == who and not held.is_agreed:
                self.drop(key)
        key = secrets.token_hex(16)
        (self._root / key / _FILES).mkdir(mode=0o700, parents=True)
        (self._root / key).chmod(0o700)
        return key

    def files(self, key: str) -> list[Path]:
        """The files of an upload, by name."""
        return sorted(self.place(key, _FILES).iterdir())

    def place(self, key: str, name: str) -> Path:
        """Where something of an upload lies."""
        return self._root / key / name

    def file(self, key: str, name: str) -> Path:
        """Where a file of an upload is to lie, by the name of :func:`file_name`."""
        return self.place(key, _FILES) / name

    def keep(self, key: str, what: Upload | Outcome) -> None:
        """Write down what an upload is, or what became of it."""
        name = _UPLOAD if isinstance(what, Upload) else f"{what.of}.json"
        replace_file(self.place(key, name), msgspec.json.encode(what))

    def begin_again(self, key: str, what: Upload) -> None:
        """Forget what became of an upload whose files are looked at again."""
        for name in ("check.json", "apply.json", MARKED):
            self.place(key, name).unlink(missing_ok=True)
        self.keep(key, what)

    def read(self, key: str) -> Upload | None:
        """What an upload is; None: there is none, or it is not whole yet."""
        return self._read(key, _UPLOAD, Upload) if _KEY.fullmatch(key) else None

    def outcome(self, key: str, of: str) -> Outcome | None:
        """What became of it when it was looked at (``check``) or imported (``apply``)."""
        return self._read(key, f"{of}.json", Outcome)

    def _read(self, key: str, name: str, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode(self.place(key, name).read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError):
            return None

    def digest(self, key: str) -> str:
        """Of the names and octets of all files of an upload."""
        found = hashlib.sha256()
        for file in self.files(key):
            with file.open("rb") as opened:
                content = hashlib.file_digest(opened, "sha256").hexdigest()
            found.update(f"{file.name}\n{content}\n".encode())
        return found.hexdigest()

    def forget_files(self, key: str) -> None:
        """Throw the files away, once they are imported; what became of them stays for the day."""
        shutil.rmtree(self.place(key, _FILES), ignore_errors=True)
        self.place(key, MARKED).unlink(missing_ok=True)

    def drop(self, key: str) -> None:
        """Throw an upload away."""
        shutil.rmtree(self._root / key, ignore_errors=True)

    def keys(self) -> Iterator[str]:
        """All uploads."""
        with suppress(OSError):
            for one in self._root.iterdir():
                if _KEY.fullmatch(one.name):
                    yield one.name

    def sweep(self, now_ms: int) -> int:
        """Throw away what is older than a day; gives how many.

        By the time of the folder, too: a request that broke off left no more than that.
        """
        gone = 0
        for key in list(self.keys()):
            held = self.read(key)
            made_ms = held.made_ms if held else self._touched_ms(key)
            if now_ms - made_ms >= KEPT_MS:
                self.drop(key)
                gone += 1
        return gone

    def _touched_ms(self, key: str) -> int:
        try:
            return int((self._root / key).stat().st_mtime * 1000)
        except OSError:
            return 0
