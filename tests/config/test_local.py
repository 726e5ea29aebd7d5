"""Where a gateway is reached is found in a file whose rest is large, wrong or half written."""

from pathlib import Path

import pytest

from edge_config.loading.local import load_local
from edge_config.mistakes.problems import ConfigError

HALF_WRITTEN = "gateway: {id: gw}\ndevices:\n  - id:\n    driver: nobody-knows-it\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "gateway.yaml"
    file.write_text(text)
    return file


def test_the_rest_of_the_file_may_be_wrong(tmp_path: Path) -> None:
    socket, buffer = load_local(written(tmp_path, HALF_WRITTEN + "buffer: {path: data/b.db}\n"))
    assert (socket, buffer.path) == (None, tmp_path / "data/b.db")


def test_without_a_word_of_it_the_buffer_is_where_the_gateway_puts_it(tmp_path: Path) -> None:
    _, buffer = load_local(written(tmp_path, HALF_WRITTEN))
    assert buffer.path == tmp_path / "qulink-buffer.db"


def test_a_control_socket_is_relative_to_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, HALF_WRITTEN + "control_socket: run/gw.sock\n")
    assert load_local(file)[0] == tmp_path / "run/gw.sock"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("buffer: {quota_mib: 0}\n", "buffer.quota_mib"),
        ("control_socket: 7\n", "control_socket: must be a path"),
        ("buffer: {\n", "gateway.yaml:"),
    ],
)
def test_what_is_needed_and_wrong_is_told_with_its_place(
    tmp_path: Path, more: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        load_local(written(tmp_path, HALF_WRITTEN + more))


def test_a_city_has_no_devices(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="qulink city"):
        load_local(written(tmp_path, "city: {}\n"))
