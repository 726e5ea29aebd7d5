"""``qulink check`` refuses secrets that can be guessed, where it can read them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.main import build

CITY = """
city: {{region: "330800", name_zh: 衢州, name_en: Quzhou}}
broker: {{url: "mqtt://127.0.0.1:1883", password: {{file: {folder}/broker}}}}
identifier: {{prefix: "88.999"}}
console: {{token: {{file: {folder}/token}}}}
"""


def checked(folder: Path, token: str | None, password: str) -> tuple[int, str]:
    if token is not None:
        (folder / "token").write_text(token)
    (folder / "broker").write_text(password)
    file = folder / "city.yaml"
    file.write_text(CITY.format(folder=folder))
    done = CliRunner().invoke(build(["check"]), ["check", str(file)])
    return done.exit_code, done.output


@pytest.mark.parametrize("token", ["x", "hunter2", "z" * 15])
def test_a_short_token_is_refused(tmp_path: Path, token: str) -> None:
    code, said = checked(tmp_path, token, "long-enough")
    assert code == 1
    assert "city.yaml:5: console.token: the secret in" in said
    assert f"has {len(token)} characters; at least 16 are needed" in said
    assert "hunter2" not in said


def test_a_short_password_is_refused(tmp_path: Path) -> None:
    code, said = checked(tmp_path, "z" * 16, "short")
    assert code == 1
    assert "city.yaml:3: broker.password:" in said
    assert "at least 8 are needed" in said


def test_long_ones_and_those_that_cannot_be_read_here_pass(tmp_path: Path) -> None:
    assert checked(tmp_path, "z" * 16, "long-enough")[0] == 0
    (tmp_path / "token").unlink()
    assert checked(tmp_path, None, "long-enough")[0] == 0
