"""Who of a provider's people logs in as whom, as pages list and change it."""

from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException

from edge_config.models.people.oidc import OidcConfig
from gateway.city.access.outside import knowing
from gateway.city.access.outside.knowing import Linked
from gateway.city.access.principal import Principal
from gateway.city.access.sessions import CitySessions
from gateway.city.console.context import ConsoleContext


class Connections:
    """Who of the provider logs in as whom.

    Args:
        context: of the console.
        kept: sessions, of which some end with a connection.
        config: which provider; None: there is none, and nobody is connected.
    """

    def __init__(
        self, context: ConsoleContext, kept: CitySessions, config: OidcConfig | None
    ) -> None:
        self._context = context
        self._kept = kept
        self._config = config

    async def listed(self, name: str | None = None) -> Sequence[Linked] | None:
        """All of them, or a user's; None: there is no provider."""
        if self._config is None:
            return None
        return await self._context.database.read(knowing.linked, self._config.issuer, name)

    async def change(self, by: Principal, act: str, fields: Mapping[str, str], name: str) -> None:
        """``connect`` or ``disconnect`` the subject that a form names.

        Raises:
            HTTPException: 404 there is no such act.
            UserError: it is refused.
        """
        acts = {"connect": knowing.link, "disconnect": knowing.unlink}
        if self._config is None or act not in acts:
            raise HTTPException(404)
        given = (by, self._config.issuer, fields.get("subject", "").strip(), name)
        await self._context.database.run(acts[act], *given, self._context.now_ms())
        self._kept.doubt()
