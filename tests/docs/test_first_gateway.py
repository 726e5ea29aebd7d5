"""The files of the page for beginners are good, and what it says about them is said."""

import re
from pathlib import Path

import pytest

from edge_config.loading.load import ConfigError, load_gateway
from gateway.cli.edge.check_command import describe
from gateway.drivers.registry import installed
from tests.docs.test_documentation import ROOT

PAGE = (ROOT / "docs/first-gateway.md").read_text(encoding="utf-8")
_FILE = re.compile(r"`([\w.-]+)` – [^\n]*:?[^`]*?\n\n```\w+\n(.*?)```", re.DOTALL)
_SAID = re.compile(r"```text\n(.*?)```", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, in the present folder."""
    for name, body in _FILE.findall(PAGE):
        (tmp_path / name).write_text(body, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_has_the_files(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "gateway.yaml",
        "press.csv",
        "press.yaml",
        "wrong.yaml",
    ]


def test_check_says_what_the_page_says(folder: Path) -> None:
    said = describe(load_gateway(Path("gateway.yaml"), installed()))
    assert f"gateway.yaml is good: {said}\n".replace(f"{folder}/", "") == _SAID.findall(PAGE)[0]


def test_the_mistakes_are_told_as_the_page_says(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_gateway(Path("wrong.yaml"), installed())
    assert f"{caught.value}\n" == _SAID.findall(PAGE)[1]
