"""The console of a city: who may see it, and how they say who they are."""

from typing import ClassVar, Literal

from edge_config.models.base import ConsoleConfig, Secret
from edge_config.models.people.oidc import OidcConfig
from edge_config.models.settings import Field


class CityConsoleConfig(ConsoleConfig):
    """The web console. Loopback needs nothing; any other address needs TLS and a login."""

    _LOGIN: ClassVar[str] = "'accounts: true' or 'token'"

    token: Secret | None = Field(
        default=None,
        description="access token of an administrator, of at least 16 characters; off loopback it "
        "or 'accounts' is required; with accounts it is for programs only",
    )
    accounts: bool = Field(
        default=False,
        description="people log in by name and password; where there are none yet, the log names a "
        "one-time link for the first administrator",
    )

    export_purpose: Literal["recorded", "demanded"] = Field(
        default="recorded",
        description="of files with rows of enterprises; recorded: a purpose that is named goes "
        "into the audit log, demanded: without one no file is given out",
    )

    oidc: OidcConfig | None = Field(
        default=None,
        description="people may log in by an OpenID Connect provider, too; needs 'accounts: true'",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.oidc is not None and not self.accounts:
            raise ValueError("'oidc' logs users in, so it needs 'accounts: true'")

    @property
    def has_login(self) -> bool:
        """Whether a visitor must show who it is."""
        return self.accounts or self.token is not None
