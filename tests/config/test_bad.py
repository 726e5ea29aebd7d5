"""Wrong configurations and the exact words that are said about them."""

import re
from pathlib import Path

import pytest
import yaml

from edge_config.files import yaml_file
from edge_config.loading.load import ConfigError, load_city, load_gateway, load_node
from edge_config.loading.site import site_of
from gateway.drivers.registry import installed

CASES = sorted(path.parent for path in (Path(__file__).parent / "bad").glob("*/expected.txt"))
SYNTAX = (
    "backslash_in_quotes",
    "bad_indentation",
    "full_width_bracket",
    "full_width_colon",
    "full_width_comma",
    "full_width_space",
    "no_space_after_colon",
    "no_space_below_another_key",
    "reserved_character",
    "star_alone",
    "tab_indent",
    "two_documents",
    "unclosed_bracket",
    "unclosed_quote",
)


def said_about(folder: Path) -> str:
    """All messages about the configuration in a folder, with names relative to it."""
    names = (f"{site}.yaml" for site in ("gateway", "city", "node"))
    (file,) = [path for name in names if (path := folder / name).exists()]
    with pytest.raises(ConfigError) as caught:
        load(Path(file.name))
    return f"{caught.value}\n"


def load(file: Path) -> object:
    loads = {"city": load_city, "prefix": load_node}
    site = site_of(file)
    return loads[site](file) if site in loads else load_gateway(file, installed())


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 60
    folders = [path for path in (Path(__file__).parent / "bad").iterdir() if path.is_dir()]
    assert sorted(folders) == CASES


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_bad_configuration(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert said_about(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SYNTAX)
def test_both_yaml_parsers_lead_to_the_same_words(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(__file__).parent / "bad" / name
    monkeypatch.chdir(folder)
    monkeypatch.setattr(yaml_file, "_LOADER", yaml.SafeLoader)
    assert said_about(folder) == (folder / "expected.txt").read_text(encoding="utf-8")


def test_no_message_holds_a_secret() -> None:
    written = [path for folder in CASES for path in folder.glob("*.yaml")]
    assert any(b"hunter2" in path.read_bytes() for path in written)
    for folder in CASES:
        assert "hunter2" not in (folder / "expected.txt").read_text(encoding="utf-8")


def test_every_message_has_file_line_and_words() -> None:
    for folder in CASES:
        for line in (folder / "expected.txt").read_text(encoding="utf-8").splitlines():
            assert re.match(r"[\w./-]+:(\d+|row \d+(, column [^:]+)?): \S", line), line
