"""What of a city's rates an operator writes: definitions, days of rest, and what papers say."""

from pathlib import Path
from typing import Annotated, Literal

from edge_config.models.base import (
    ClientTls,
    HttpUrl,
    Secret,
    allow_plain_field,
    demand_tls_scheme,
    pattern,
)
from edge_config.models.plain import demand_private
from edge_config.models.settings import Field, Rule, Settings


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


class RelationalEngine(Settings):
    """Machines are counted by the city itself, from its database."""

    type: Literal["relational"] = Field(default="relational", description="kind of engine")


class DuckDbEngine(Settings):
    """Machines are counted by DuckDB, from copies of months in a file beside the city."""

    type: Literal["duckdb"] = Field(description="kind of engine; needs qulink[duckdb]")
    path: Path = Field(default=Path("rates.duckdb"), description="file, relative to data_dir")


_NAME = pattern(r"^[A-Za-z_][A-Za-z0-9_]*$", "must be letters, digits and _, as city_rates")


class ClickHouseEngine(Settings):
    """Machines are counted by ClickHouse, from copies of months in a database of its own."""

    type: Literal["clickhouse"] = Field(description="kind of engine")
    url: HttpUrl = Field(description="as https://clickhouse.example:8443")
    database: str = Field(default="qulink", pattern=_NAME, description="must exist")
    cluster: str | None = Field(
        default=None,
        pattern=_NAME,
        description="spread rows over the shards of this cluster; default: one server",
    )
    username: str = Field(default="default", min_length=1, description="user")
    password: Secret | None = Field(default=None, description="its password")
    tls: ClientTls | None = Field(default=None, description="for https")
    allow_plain: bool = allow_plain_field()
    timeout_ms: int = Field(
        default=60_000, ge=100, le=600_000, description="longest wait for one request"
    )

    def __post_init__(self) -> None:
        demand_tls_scheme(self.url, self.tls)
        demand_private(self.url, has_secret=self.password is not None, allow_plain=self.allow_plain)


Engine = Annotated[RelationalEngine | DuckDbEngine | ClickHouseEngine, Rule(discriminator="type")]


class RatesConfig(Settings):
    """Who counts the machines of months that are frozen; the running month is the city's own."""

    engine: Engine = Field(default=RelationalEngine(), description="the engine")
