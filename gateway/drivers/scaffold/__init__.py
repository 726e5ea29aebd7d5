"""The beginning of a driver package outside this repository; ``qulink driver new`` writes it.

``template/`` holds the files of a driver that works: for lines of text over TCP, with a simulator.
The pages of the driver contract quote the same files.
"""

import re
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).with_name("template")
_SUFFIX = ".tmpl"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def write(name: str, into: Path) -> Path:
    """Write the package of a new driver.

    Args:
        name: the word after ``driver:``.
        into: folder that gets a folder of the package.

    Returns:
        The folder of the package.

    Raises:
        ValueError: the name cannot be a driver's.
        FileExistsError: there is something of that name already.
        OSError: it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot name a driver: write small letters, digits and single '_', "
            "and begin with a letter"
        )
    words = _words(name)
    folder = into / words["project"]
    folder.mkdir(parents=True)
    for path, content in rendered(name).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return folder


def rendered(name: str) -> dict[str, str]:
    """The files of a new driver's package: path and content."""
    words = _words(name)
    return {
        _path(file, words["package"]): Template(file.read_text(encoding="utf-8")).substitute(words)
        for file in sorted(TEMPLATE.rglob(f"*{_SUFFIX}"))
    }


def _words(name: str) -> dict[str, str]:
    plain = name.replace("_", "-")
    return {
        "name": name,
        "package": f"qulink_{name}",
        "plain": plain,
        "project": f"qulink-{plain}",
        "Class": "".join(word.capitalize() for word in name.split("_")),
    }


def _path(file: Path, package: str) -> str:
    path = file.relative_to(TEMPLATE).as_posix().removesuffix(_SUFFIX)
    return re.sub("^package/", f"{package}/", path)
