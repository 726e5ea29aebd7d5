"""Secrets by reference: where they come from, and what is said when they are not there."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from edge_config.models.base import Secret, SecretUnavailableError
from edge_config.models.validation import validated


@pytest.mark.parametrize("body", [b"hunter2", b"hunter2\n", b"hunter2\r\n", b"\xef\xbb\xbfhunter2"])
def test_a_file_holds_the_secret_and_perhaps_a_line_end(body: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(body)
    assert Secret(file=tmp_path / "secret").reveal() == "hunter2"


def test_a_variable_holds_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QULINK_TEST_SECRET", "hunter2")
    assert Secret(env="QULINK_TEST_SECRET").reveal() == "hunter2"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, "cannot read secret file {}: No such file or directory"),
        (b"\xff\xfe\x00", "cannot read secret file {}: it is no UTF-8 text"),
        (b"\n", "the secret in file {} is missing or empty"),
    ],
)
def test_a_file_without_a_secret_is_named(body: bytes | None, why: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    if body is not None:
        file.write_bytes(body)
    with pytest.raises(SecretUnavailableError) as caught:
        Secret(file=file).reveal()
    assert str(caught.value) == why.format(file)


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QULINK_TEST_SECRET", raising=False)
    with pytest.raises(SecretUnavailableError, match="variable QULINK_TEST_SECRET is missing"):
        Secret(env="QULINK_TEST_SECRET").reveal()


@pytest.mark.parametrize("given", [{}, {"file": "a", "env": "B"}])
def test_exactly_one_source(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="exactly one of 'file' and 'env'"):
        validated(Secret, given)
