"""The catalogue of open data: what is published, by which terms, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest

from edge_config.models.counting import OpenDataConfig
from gateway.city.console.app import build
from tests.console.conftest import served
from tests.console.http import get
from tests.console.test_published import final
from tests.console.town import town


async def test_it_names_what_is_published_with_files_that_are_there(tmp_path: Path) -> None:
    async with town(tmp_path / "city") as made, served(build(made.context)) as base:
        nothing = await get(f"{base}/open-data?format=dcat")
        assert nothing.json()["dcat:dataset"] == [], "running months are not open"
        assert "尚未公布" in (await get(f"{base}/open-data?lang=zh")).text
        made.context.database.run_now(final)
        app = build(made.context)  # which has not looked yet
        async with served(app) as fresh:
            address = f"{fresh}/open-data?format=dcat"
            body = (await get(address)).json()
            assert (body["demonstration"], body["dct:license"]) == (True, None)
            known = body["dcat:dataset"]
            assert [one["dct:identifier"] for one in known] == [
                "ENR-A-county", "ENR-A-industry", "ENR-A-county-industry",
            ]  # fmt: skip
            days = known[0]["dct:temporal"]
            named = [days[f"dcat:{one}Date"]["@value"] for one in ("start", "end")]
            assert named == ["2025-09-01", "2025-09-30"]
            assert "演示数据" in str(body["dct:description"])
            _demand_what_the_vocabulary_demands(body)
            for one in known[0]["dcat:distribution"]:
                file = await get(urljoin(address, one["dcat:downloadURL"]["@id"]))
                assert file.status_code == 200, one
                media = one["dcat:mediaType"]["@id"].partition("media-types/")[2]
                assert file.headers["content-type"].startswith(media)
                assert "alone" not in file.text
            page = (await get(f"{fresh}/open-data?lang=zh")).text
            assert "未注明" in page and "开放目录" in page and "演示数据" in page
            rows = (await get(f"{fresh}/open-data?format=json")).json()["rows"]
            assert (rows[0]["licence"], rows[0]["last_month"]) == (None, "2025-09")
        terms = OpenDataConfig(licence="CC BY 4.0", licence_url="https://example.org/by")
        config = replace(made.context.config, open_data=terms)
        async with served(build(replace(made.context, config=config))) as named:
            body = (await get(f"{named}/open-data?format=dcat")).json()
            licence = {"@type": "dct:LicenseDocument", "dct:title": "CC BY 4.0"}
            licence |= {"@id": "https://example.org/by"}
            assert body["dct:license"] == body["dcat:dataset"][0]["dct:license"] == licence
            assert 'href="https://example.org/by"' in (await get(f"{named}/open-data")).text


OBJECTS = (
    *("dct:publisher", "dct:temporal", "dct:accrualPeriodicity", "dcat:landingPage"),
    *("dcat:accessURL", "dcat:downloadURL", "dcat:mediaType"),
)
"""Properties whose values are things and no texts (DCAT 3, section 6)."""
MUST = {
    "dcat:Catalog": {"dct:title", "dct:description", "dct:publisher", "dcat:dataset"},
    "dcat:Dataset": {"dct:title", "dct:description", "dct:identifier", "dcat:distribution"},
    "dcat:Distribution": {"dcat:accessURL"},
}
"""What DCAT-AP 3 makes mandatory, and what a harvester cannot do without."""


def _demand_what_the_vocabulary_demands(node: Any) -> None:
    if isinstance(node, list):
        for one in node:
            _demand_what_the_vocabulary_demands(one)
    elif isinstance(node, dict):
        assert MUST.get(node.get("@type"), set()) <= node.keys(), node.get("@type")
        for name, value in node.items():
            if name in OBJECTS:
                assert "@id" in value or "@type" in value, (name, value)
            if name in ("dct:modified", "dcat:startDate", "dcat:endDate"):
                assert value["@type"].startswith("xsd:date"), (name, value)
            _demand_what_the_vocabulary_demands(value)


def test_an_address_of_a_licence_without_its_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'licence' too"):
        OpenDataConfig(licence_url="https://example.org/by")
