"""The catalogue of open data: what is published, by which terms, and nothing else."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

import pytest

from edge_config.models.counting import OpenDataConfig
from gateway.city.console.app import build
from tests.console.conftest import served
from tests.console.http import get
from tests.console.test_published import _final
from tests.console.town import town


async def test_it_names_what_is_published_with_files_that_are_there(tmp_path: Path) -> None:
    async with town(tmp_path / "city") as made, served(build(made.context)) as base:
        nothing = await get(f"{base}/open-data?format=dcat")
        assert nothing.json()["dcat:dataset"] == [], "running months are not open"
        assert "尚未公布" in (await get(f"{base}/open-data?lang=zh")).text
        made.context.database.run_now(_final)
        app = build(made.context)  # which has not looked yet
        async with served(app) as fresh:
            address = f"{fresh}/open-data?format=dcat"
            body = (await get(address)).json()
            assert (body["demonstration"], body["dct:license"]) == (True, None)
            known = body["dcat:dataset"]
            assert [one["dct:identifier"] for one in known] == [
                "ENR-A-county", "ENR-A-industry", "ENR-A-county-industry",
            ]  # fmt: skip
            assert known[0]["dct:temporal"] == {
                "dcat:startDate": "2025-09-01", "dcat:endDate": "2025-09-30",
            }  # fmt: skip
            for one in known[0]["dcat:distribution"]:
                file = await get(urljoin(address, one["dcat:downloadURL"]))
                assert file.status_code == 200, one
                assert file.headers["content-type"].startswith(one["dcat:mediaType"])
                assert "alone" not in file.text
            page = (await get(f"{fresh}/open-data?lang=zh")).text
            assert "未注明" in page and "开放目录" in page and "演示数据" in page
            rows = (await get(f"{fresh}/open-data?format=json")).json()["rows"]
            assert (rows[0]["licence"], rows[0]["last_month"]) == (None, "2025-09")
        terms = OpenDataConfig(licence="CC BY 4.0", licence_url="https://example.org/by")
        config = replace(made.context.config, open_data=terms)
        async with served(build(replace(made.context, config=config))) as named:
            body = (await get(f"{named}/open-data?format=dcat")).json()
            licence = {"dct:title": "CC BY 4.0", "@id": "https://example.org/by"}
            assert body["dct:license"] == body["dcat:dataset"][0]["dct:license"] == licence
            assert 'href="https://example.org/by"' in (await get(f"{named}/open-data")).text


def test_an_address_of_a_licence_without_its_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'licence' too"):
        OpenDataConfig(licence_url="https://example.org/by")
