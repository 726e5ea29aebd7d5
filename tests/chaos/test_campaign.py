"""A short campaign, so that every change meets it; ``make chaos`` runs a long one."""

import json
from pathlib import Path

import pytest

from tests.chaos.bent import false_clock
from tests.chaos.campaign import run

SEED = 7
SECONDS = 8.0
"""With starting and judging, both runs together take less than a minute."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["write-edge", "kill-all"])
async def test_a_short_run_loses_nothing(tmp_path: Path, kind: str) -> None:
    result = await run(kind, 1, SEED, SECONDS, tmp_path)
    assert result.faults >= 1
    assert result.answers > 50
    assert result.faultless, json.dumps(result.as_json(), indent=2)


async def test_a_kind_for_which_something_is_missing_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(false_clock, "_PLACES", ())
    monkeypatch.delenv("CI", raising=False)
    result = await run("clock", 1, SEED, SECONDS, tmp_path)
    assert "install libfaketime" in result.lacking
    assert result.faults == 0
