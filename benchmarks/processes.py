"""Python processes that end with the benchmark."""

import resource
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of the project with the virtual environment that runs it.

    Attributes:
        root: folder of the copy.
        python: its interpreter.
    """

    root: Path
    python: Path

    @classmethod
    def at(cls, root: Path) -> "Checkout":
        """The copy in a folder, made ready by ``make test`` or ``make bench``.

        Raises:
            FileNotFoundError: it has no virtual environment.
        """
        python = root / ".venv" / "bin" / "python"
        if not python.exists():
            raise FileNotFoundError(f"{python} is missing; run 'make bench ARGS=wire' in {root}")
        return cls(root, python)

    @property
    def libraries(self) -> tuple[Path, ...]:
        """Folders with the files that its processes map: the interpreter's and the project's."""
        return self.python.resolve().parent.parent, self.root

    def run(
        self, stack: ExitStack, *arguments: str, output: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start its interpreter with arguments; it is killed when the stack unwinds.

        Args:
            stack: what the process belongs to.
            arguments: of the interpreter.
            output: file for standard output and error; None throws them away.
        """
        target = stack.enter_context(output.open("wb")) if output else subprocess.DEVNULL
        process = subprocess.Popen(
            [str(self.python), *arguments], cwd=self.root, stdout=target, stderr=subprocess.STDOUT
        )
        stack.callback(_end, process)
        return process


HERE = Checkout(ROOT, Path(sys.executable))
"""What this benchmark belongs to."""


def allow_many_files() -> None:
    """Let this process and those it starts open as many files as the system permits at most.

    A thousand connections need more than the 1,024 that many shells allow.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait(timeout=10)
