"""A city in a folder, and commands about it that run within the test."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import build
from gateway.relational.database import Database
from tests.support.city_db import sqlite_city

CITY = """\
city: {region: "330800", name_zh: 衢州市, name_en: Quzhou}
data_dir: data
broker: {url: "mqtt://127.0.0.1:1883"}
identifier: {prefix: "88.999", review_hours: 1}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A city's folder and its database."""

    folder: Path
    database: Database

    def qulink(self, *words: object) -> Result:
        """Run ``qulink id …`` about this city."""
        return self.plain(*words, "--config", self.folder / "city.yaml")

    def plain(self, *words: object) -> Result:
        """Run ``qulink id …`` that needs no city."""
        told = ["id", *map(str, words)]
        return CliRunner().invoke(build(told), told)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A city without a ledger."""
    (tmp_path / "city.yaml").write_text(CITY, encoding="utf-8")
    database = sqlite_city(tmp_path / "data")
    yield Place(tmp_path, database)
    database.close()
