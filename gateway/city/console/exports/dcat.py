"""What is open: the published tables as a catalogue of data sets. Pure.

Source of the JSON's words: W3C Data Catalog Vocabulary (DCAT) 3, with DCMI metadata terms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from edge_config.models.counting import OpenDataConfig
from gateway.city.ledger.codes import Name
from gateway.city.rates.model import Definition
from gateway.city.rates.period import first_day, last_day
from gateway.city.rates.publishing.lines import LINES, Lines
from gateway.city.rates.publishing.stored import Publication
from gateway.web.formats import moment
from gateway.web.i18n import text
from gateway.web.tables import DEMONSTRATION

FORMATS: Mapping[str, str] = {
    "csv": "text/csv",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "sdmx-csv": "application/vnd.sdmx.data+csv;version=2.0.0",
}
"""Media types of the files of a published month, by ``format``."""
CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
_MONTHLY = "http://publications.europa.eu/resource/authority/frequency/MONTHLY"


@dataclass(frozen=True, slots=True)
class Issue:
    """A published month: ``YYYY-MM``, and when its newest vintage was stored, UTC milliseconds."""

    month: str
    stored_ms: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """All published months of a definition by one kind of lines.

    Attributes:
        definition: what is counted.
        by: what the lines are.
        issues: the newest first; at least one.
    """

    definition: Definition
    by: Lines
    issues: Sequence[Issue]

    @property
    def key(self) -> str:
        """Its name among the others, as ``ENR-A-county``."""
        return f"{self.definition.id}-{self.by}"

    @property
    def stored_ms(self) -> int:
        """When any of its months changed last."""
        return max(one.stored_ms for one in self.issues)

    def title(self) -> Name:
        """What it is called."""
        zh, en = (text(language, f"published.by.{self.by}") for language in ("zh", "en"))
        return Name(f"{self.definition.name_zh} · {zh}", f"{self.definition.name_en} · {en}")

    def description(self) -> Name:
        """What its figures are, and what is not in it."""
        zh, en = (text(language, "published.rules") for language in ("zh", "en"))
        return Name(f"{self.definition.formula_zh}。{zh}", f"{self.definition.formula_en}. {en}")

    def address(self, page: str, month: str, kind: str = "") -> str:
        """A month of it on the page of published tables, or as a file."""
        words = {"definition": self.definition.id, "month": month, "by": self.by}
        return f"{page}?{urlencode(words | ({'format': kind} if kind else {}))}"


def datasets(public: Publication, definitions: Sequence[Definition]) -> list[Dataset]:
    """What is open; a definition of which no month is published is not."""
    found = []
    for one in definitions:
        issues = [Issue(m, public.stored_ms[one.id, m]) for m in public.months(one.id)]
        found += [Dataset(one, by, issues) for by in LINES if issues]
    return found


def catalogue(
    known: Sequence[Dataset],
    city: Name,
    terms: OpenDataConfig,
    page: str,
    *,
    demonstration: bool,
) -> dict[str, Any]:
    """The catalogue for programs.

    Addresses are relative to the catalogue's own, for who is asked need not know its name.

    Args:
        known: what is open.
        city: who publishes.
        terms: the licence; null where it is not stated.
        page: address of the published tables.
        demonstration: synthetic machines count.
    """
    said = text("zh", "opendata.title"), text("en", "opendata.title")
    rules = Name(text("zh", "published.rules"), text("en", "published.rules"))
    if demonstration:  # harvesters take in what has a name in their vocabulary, and nothing else
        rules = Name(f"{DEMONSTRATION}。{rules.zh}", f"{DEMONSTRATION}. {rules.en}")
    return {
        "@context": CONTEXT,
        "@type": "dcat:Catalog",
        "dct:title": _spoken(Name(f"{city.zh}{said[0]}", f"{said[1]}: {city.en}")),
        "dct:description": _spoken(rules),
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": _spoken(city)},
        "dct:license": _licence(terms),
        "demonstration": demonstration,
        **({"data": DEMONSTRATION} if demonstration else {}),
        "dcat:dataset": [_dataset(one, terms, page) for one in known],
    }


def _dataset(one: Dataset, terms: OpenDataConfig, page: str) -> dict[str, Any]:
    newest, oldest = one.issues[0].month, one.issues[-1].month
    return {
        "@type": "dcat:Dataset",
        "dct:identifier": one.key,
        "dct:title": _spoken(one.title()),
        "dct:description": _spoken(one.description()),
        "dct:license": _licence(terms),
        "dct:modified": _typed("dateTime", _stamp(one.stored_ms)),
        "dct:accrualPeriodicity": {"@id": _MONTHLY},
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _typed("date", first_day(oldest).isoformat()),
            "dcat:endDate": _typed("date", last_day(newest).isoformat()),
        },
        "dcat:landingPage": {"@id": one.address(page, newest)},
        "dcat:distribution": [
            _distribution(one, issue, kind, page) for issue in one.issues for kind in FORMATS
        ],
    }


def _distribution(one: Dataset, issue: Issue, kind: str, page: str) -> dict[str, Any]:
    return {
        "@type": "dcat:Distribution",
        "dct:title": f"{one.key}-{issue.month}.{kind}",
        "dcat:mediaType": {"@id": _MEDIA_TYPES + FORMATS[kind].partition(";")[0]},
        "dct:modified": _typed("dateTime", _stamp(issue.stored_ms)),
        "dcat:accessURL": {"@id": one.address(page, issue.month)},
        "dcat:downloadURL": {"@id": one.address(page, issue.month, kind)},
    }


def _licence(terms: OpenDataConfig) -> dict[str, str] | None:
    if terms.licence is None:
        return None
    return {"@type": "dct:LicenseDocument", "dct:title": terms.licence} | (
        {"@id": str(terms.licence_url)} if terms.licence_url else {}
    )


def _spoken(name: Name) -> list[dict[str, str]]:
    return [
        {"@language": "zh", "@value": name.zh},
        {"@language": "en", "@value": name.en},
    ]


def _typed(kind: str, value: str) -> dict[str, str]:
    return {"@type": f"xsd:{kind}", "@value": value}


def _stamp(time_ms: int) -> str:
    """ISO 8601 in the city's own time."""
    return moment(time_ms).replace(" ", "T") + "+08:00"
