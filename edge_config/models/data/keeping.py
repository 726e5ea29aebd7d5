"""What a city may keep of enterprises, and for how long."""

from edge_config.models.settings import Field, Settings


class AgreementsConfig(Settings):
    """Data agreements with enterprises, as `qulink ledger agreements` enters them."""

    required: bool = Field(
        default=False,
        description="true: nothing is kept of an enterprise without a data agreement; false: of "
        "one that never had any, all is kept",
    )


class RetentionConfig(Settings):
    """How long things are kept, in days."""

    telemetry_days: int = Field(
        default=730,
        ge=1,
        le=36_500,
        description="values in the embedded store, gaps, schemas out of use",
    )
    quarantine_days: int = Field(default=90, ge=1, le=3_650, description="quarantined messages")
