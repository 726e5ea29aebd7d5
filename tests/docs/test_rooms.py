"""The house: rooms that a reader can survey."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = ("gateway", "edge_config", "simulators")
MOST_MODULES = 12
FOLDERS = [
    folder
    for package in SHIPPED
    for folder in (ROOT / package, *(ROOT / package).rglob("*"))
    if folder.is_dir() and any(folder.glob("*.py")) and folder.name != "versions"
]
"""Not migrations: they are history in the order of their numbers, one file for each."""


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_no_folder_holds_more_modules_than_can_be_surveyed(folder: Path) -> None:
    modules = [module.name for module in folder.glob("*.py") if module.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES, sorted(modules)
