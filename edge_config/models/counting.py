"""What of a city's rates an operator writes: definitions, and days of rest."""

from pathlib import Path

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
