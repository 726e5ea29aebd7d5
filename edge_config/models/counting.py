"""What of a city's rates an operator writes: definitions, days of rest, and what papers say."""

from pathlib import Path

from edge_config.models.base import HttpUrl
from edge_config.models.settings import Field, Settings


class DefinitionsConfig(Settings):
    """Which rate definitions are computed."""

    headline: str = Field(default="ENR-A", description="id of the definition shown first")
    file: Path | None = Field(default=None, description="YAML with more definition records")


class CalendarConfig(Settings):
    """Which days are of rest."""

    file: Path | None = Field(
        default=None,
        description="YAML with public holidays by year, which add to those of the product or "
        "replace them",
    )


class SheetConfig(Settings):
    """What stands on printed sheets; what is left out is a line to fill in by hand."""

    form_number: str | None = Field(
        default=None, min_length=1, description="number of the form (表号), as it was given"
    )
    unit: str | None = Field(
        default=None, min_length=1, description="the body that makes the sheet (制表单位)"
    )


class OpenDataConfig(Settings):
    """Under what terms published tables are open; nothing is assumed."""

    licence: str | None = Field(
        default=None, min_length=1, description="name of the licence; default: not stated"
    )
    licence_url: HttpUrl | None = Field(default=None, description="where its text is")

    def __post_init__(self) -> None:
        if self.licence_url is not None and self.licence is None:
            raise ValueError("'licence_url' is the text of a licence: name it by 'licence' too")
