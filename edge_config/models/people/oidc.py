"""Logging in by an OpenID Connect provider: which one, and who of its users may."""

from collections.abc import Mapping
from typing import Annotated, Literal

from edge_config.models.base import ClientTls, HttpUrl, Secret, allow_plain_field, pattern
from edge_config.models.plain import demand_private
from edge_config.models.settings import Field, Rule, Settings

RoleWord = Literal[
    "administrator",
    "bureau-officer",
    "county-officer",
    "park-operator",
    "enterprise",
    "auditor",
    "integrator",
]
NAMED_BY: Mapping[str, str] = {
    "administrator": "all",
    "bureau-officer": "all",
    "county-officer": "county",
    "park-operator": "area",
    "enterprise": "enterprise",
    "auditor": "all",
    "integrator": "enterprise",
}
"""By what the rows of each role are named."""
ScopeWords = Annotated[
    str,
    Rule(
        pattern=pattern(
            r"^(all|(county|area|enterprise)( [0-9A-Za-z-]+)+)$",
            "must be 'all', or 'county', 'area' or 'enterprise' and their codes, as "
            "'county 330822 330881'",
        )
    ),
]


class OidcGroup(Settings):
    """Users of a group of the provider, and what they are to the city."""

    group: str = Field(min_length=1, max_length=200, description="as the provider names it")
    role: RoleWord = Field(description="role of its users")
    scope: ScopeWords = Field(default="all", description="whose rows they see")

    def __post_init__(self) -> None:
        kind, wanted = self.scope.partition(" ")[0], NAMED_BY[self.role]
        if kind != wanted:
            raise ValueError(
                f"the scope of the role {self.role} is named by {wanted}, not by {kind}"
            )


class OidcConfig(Settings):
    """An OpenID Connect provider: whoever is connected to a user, or in a group, logs in by it."""

    issuer: HttpUrl = Field(description="as the provider names itself, as https://id.example/realm")
    client_id: str = Field(min_length=1, max_length=200, description="of this console there")
    client_secret: Secret = Field(description="of this console there")
    public_url: HttpUrl = Field(
        description="the console as browsers reach it, as https://city.example: the provider leads "
        "back to /login/oidc/back behind it"
    )
    name_zh: str = Field(
        default="统一身份认证", max_length=60, description="of the button, for Chinese readers"
    )
    name_en: str = Field(
        default="Single sign-on", max_length=60, description="of the button, for English readers"
    )
    scopes: tuple[str, ...] = Field(
        default=("openid", "profile"), description="asked for; some providers need one for groups"
    )
    groups_claim: str = Field(
        default="groups", min_length=1, max_length=100, description="where groups stand"
    )
    groups: tuple[OidcGroup, ...] = Field(
        default=(), description="the first that a user is in decides; none: linked users alone"
    )
    tls: ClientTls | None = Field(default=None, description="whom to trust; default: the system")
    allow_plain: bool = allow_plain_field()

    def __post_init__(self) -> None:
        demand_private(self.issuer, has_secret=True, allow_plain=self.allow_plain)
        if "openid" not in self.scopes:
            raise ValueError("'scopes' must hold openid: without it nobody is named")
