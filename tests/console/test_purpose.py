"""Rows of enterprises leave for a purpose, which the audit log keeps."""

from pathlib import Path

import httpx
import pytest

from edge_config.models.base import Secret
from gateway.city.access.audit import Action, entries
from gateway.city.console.app import build
from tests.city.access.test_commands_noted import City
from tests.console.conftest import served
from tests.console.town import Town, town, uscc_of

TOKEN = "a-token-of-16-characters"


def exported(made: Town) -> list[str]:
    found = made.database.run_now(entries)
    return [one.detail for one in found if one.action == Action.EXPORTED]


@pytest.mark.parametrize("wish", ["demanded", "recorded"])
async def test_no_file_of_enterprises_without_a_purpose(tmp_path: Path, wish: str) -> None:
    (tmp_path / "token").write_text(TOKEN)
    secret = Secret(file=tmp_path / "token", env=None)
    head = {"Authorization": f"Bearer {TOKEN}"}
    async with town(tmp_path / "city", token=secret, export_purpose=wish) as made:
        async with (
            served(build(made.context)) as base,
            httpx.AsyncClient(base_url=base, headers=head, trust_env=False, timeout=60) as client,
        ):
            page = (await client.get("/enterprises?lang=en")).text
            assert ("download>CSV" in page) == (wish == "recorded")
            bare = await client.get("/enterprises?format=csv&lang=zh&q=a%26b")
            if wish == "demanded":
                assert bare.status_code == 400 and exported(made) == []
                for asked in ("导出用途", "统计监测", 'name="q" value="a&amp;b"', 'value="csv"'):
                    assert asked in bare.text
            else:
                assert bare.status_code == 200
            # figures of nobody in particular need none
            assert (await client.get("/?format=csv")).status_code == 200
            file = await client.get(
                "/enterprises?format=csv", params={"format": "csv", "purpose": " 现场 核查 "}
            )
            assert file.status_code == 200 and uscc_of(0) in file.text
        assert exported(made)[-1].startswith("现场 核查: ")


def test_purposes_of_commands_are_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    city = City(tmp_path)
    for words in (
        ("ledger", "list"),
        ("ledger", "agreements", "list"),
        ("rates", "--by", "enterprise", "--month", "2025-10"),
        ("rates", "declared", "--month", "2025-10"),
        ("evidence", "audit", "--month", "2025-10", "--enterprise", uscc_of(5)),
    ):
        (noted,) = city.run(*words, "--purpose", "现场核查")
        assert noted.detail.startswith("现场核查"), words
    monkeypatch.setenv("QULINK_PURPOSE", "审计检查")
    (noted,) = city.run("ledger", "list", "--enterprise", uscc_of(0))
    assert noted.detail == f"审计检查: {uscc_of(0)}"
