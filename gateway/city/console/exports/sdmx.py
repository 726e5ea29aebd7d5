"""Published tables for other statistical systems."""

from functools import partial

from starlette.responses import Response

from gateway.city.console.context import ConsoleContext
from gateway.city.console.exports.workbooks import Files
from gateway.city.ledger.codes import Name
from gateway.city.rates.exports.sdmx import sdmx_csv, sdmx_structure
from gateway.city.rates.model import Definition
from gateway.city.rates.publishing.publish import PublishedTable
from gateway.web.tables import attachment

CSV = "application/vnd.sdmx.data+csv;version=2.0.0"
STRUCTURE = "application/vnd.sdmx.structure+json;version=2.0.0"


def sdmx_files(context: ConsoleContext, table: PublishedTable, definition: Definition) -> Files:
    """SDMX-CSV and its structure, made when they are asked for."""
    city = context.config.city
    place = city.region, Name(city.name_zh, city.name_en)
    return {
        "sdmx-csv": partial(_data, table, definition, *place),
        "sdmx-structure": partial(_structure, table, definition, *place),
    }


async def _data(
    table: PublishedTable, definition: Definition, region: str, _city: Name
) -> Response:
    return attachment(sdmx_csv(table, definition, region).encode(), _name(table, "csv"), CSV)


async def _structure(
    table: PublishedTable, definition: Definition, region: str, city: Name
) -> Response:
    body = sdmx_structure(table, definition, region, city).encode()
    return attachment(body, _name(table, "structure.json"), STRUCTURE)


def _name(table: PublishedTable, ending: str) -> str:
    return f"sdmx-{table.table.definition}-{table.table.month}.{ending}"
