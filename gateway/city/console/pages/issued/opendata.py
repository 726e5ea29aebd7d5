"""The catalogue of what is open: 开放目录."""

import json
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.exports.dcat import FORMATS, Dataset, catalogue, datasets
from gateway.city.console.pages import published
from gateway.city.ledger.codes import Name
from gateway.city.rates.publishing.stored import published_definitions
from gateway.web.formats import moment
from gateway.web.pages import Pages, View
from gateway.web.tables import Cell, Table, attachment

ADDRESS = "/open-data"
COLUMNS = (
    "id",
    "title_zh",
    "title_en",
    "description_zh",
    "description_en",
    "licence",
    "licence_url",
    "updated",
    "first_month",
    "last_month",
    "formats",
    "address",
)


class OpenData:
    """The page ``/open-data``: what the publication plane has, and nothing else."""

    def __init__(self, context: ConsoleContext, public: published.PublishedPage) -> None:
        self._context, self._public = context, public

    async def view(self, _request: Request) -> View:
        """Data sets with their terms and links; ``?format=dcat`` for harvesters."""
        config = self._context.config
        named = published_definitions(self._context.definitions)
        known = datasets(await self._public.publication(), named)
        data = {
            "datasets": known,
            "terms": config.open_data,
            "formats": tuple(FORMATS),
            "page": published.ADDRESS,
        }
        file = Table("open-data", COLUMNS, [self._row(one) for one in known], {})
        return View("opendata.html", data, table=file, files={"dcat": partial(self._dcat, known)})

    def _row(self, one: Dataset) -> dict[str, Cell]:
        terms, title, told = self._context.config.open_data, one.title(), one.description()
        return {
            "id": one.key,
            "title_zh": title.zh,
            "title_en": title.en,
            "description_zh": told.zh,
            "description_en": told.en,
            "licence": terms.licence,
            "licence_url": None if terms.licence_url is None else str(terms.licence_url),
            "updated": moment(one.stored_ms),
            "first_month": one.issues[-1].month,
            "last_month": one.issues[0].month,
            "formats": " ".join(FORMATS),
            "address": one.address(published.ADDRESS, one.issues[0].month),
        }

    async def _dcat(self, known: list[Dataset]) -> Response:
        config = self._context.config
        body = catalogue(
            known,
            Name(config.city.name_zh, config.city.name_en),
            config.open_data,
            published.ADDRESS,
            demonstration=config.demonstration,
        )
        text = json.dumps(body, ensure_ascii=False, indent=1)
        return attachment(text.encode(), "open-data.jsonld", "application/ld+json")


def routes(gate: Gate, pages: Pages, views: OpenData) -> list[Route]:
    """The page's address."""
    return gate.allow(Permission.FIGURES, Route(ADDRESS, pages.endpoint(views.view)))
