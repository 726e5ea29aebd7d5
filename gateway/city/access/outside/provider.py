"""An OpenID Connect provider: where it sends people, and whom it says they are.

Authorization code with PKCE. Claims are believed after signature, issuer, audience, times and
nonce were checked, by Authlib and joserfc.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from edge_config.models.people.oidc import OidcConfig
from gateway.identifier.calling import Caller, Fate, Reply

BACK = "/login/oidc/back"
"""Where the provider leads back to."""
TIMEOUT_S = 5.0
MAX_BYTES = 2**18
KNOWN_S = 3_600.0
"""How long what a provider says of itself is remembered."""
LEEWAY_S = 60
"""So much two clocks may differ."""
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Asymmetric ones: a secret that both know proves nothing about who signed."""
_WELL_KNOWN = "/.well-known/openid-configuration"


class ProviderAwayError(Exception):
    """The provider does not answer, or not as one; the message says what was asked."""


class ProviderRefusedError(Exception):
    """The provider, or what it says, is not believed; the message says why, without secrets."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that was begun; its browser brings it back sealed.

    Attributes:
        state: names it towards the provider.
        nonce: stands in the token that belongs to it.
        verifier: of PKCE.
        target: path of the console that it leads to.
        connects: name of the user, who is here already and is to be connected; empty: a login.
    """

    state: str
    nonce: str
    verifier: str
    target: str
    connects: str = ""


def begin(target: str, connects: str = "") -> Begun:
    """A fresh login that leads to a path of the console."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Begun(state, nonce, verifier, target, connects)


class Provider:
    """Asks one provider.

    Args:
        config: which, and who we are to it.
        secret: of ours there.
    """

    def __init__(self, config: OidcConfig, secret: str) -> None:
        self._config = config
        self._secret = secret
        self._known: tuple[Mapping[str, Any], KeySet, float] | None = None

    @property
    def back(self) -> str:
        """The address that it leads back to."""
        return self._config.public_url.rstrip("/") + BACK

    async def address(self, begun: Begun) -> str:
        """Where a browser is sent to log in.

        Raises:
            ProviderAwayError: it does not answer.
            ProviderRefusedError: it says that it is another one.
        """
        metadata, _ = await self._provider()
        asked = {
            "response_type": "code",
            "client_id": self._config.client_id,
            "redirect_uri": self.back,
            "scope": " ".join(self._config.scopes),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": create_s256_code_challenge(begun.verifier),
            "code_challenge_method": "S256",
        }
        if begun.connects:
            # Whoever is logged in there just now may be somebody else, and stays connected.
            asked["prompt"] = "login"
        separator = "&" if "?" in metadata["authorization_endpoint"] else "?"
        return f"{metadata['authorization_endpoint']}{separator}{urlencode(asked)}"

    async def claims(self, code: str, begun: Begun, issuer: str | None) -> Mapping[str, Any]:
        """What it says of who came back with a code.

        Args:
            code: as it came.
            begun: the login that it belongs to.
            issuer: who says so, if the answer names it (RFC 9207).

        Raises:
            ProviderAwayError: it does not answer.
            ProviderRefusedError: it refuses the code, or what it says is not believed.
        """
        metadata, _ = await self._provider()
        if issuer is not None and issuer != self._config.issuer:
            raise ProviderRefusedError("the answer is another provider's")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back,
            "code_verifier": begun.verifier,
        }
        said = await self._post(metadata, form)
        claims = await self._believed(str(said.get("id_token", "")), begun, said)
        if self._config.groups and self._config.groups_claim not in claims:
            return await self._with_more(metadata, claims, str(said.get("access_token", "")))
        return claims

    async def _post(self, metadata: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
        """Redeem a code; the secret goes the way that the provider prefers."""
        request: dict[str, Any] = {"data": dict(form)}
        ways = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in ways:
            request["auth"] = (self._config.client_id, self._secret)
        else:
            who = {"client_id": self._config.client_id, "client_secret": self._secret}
            request["data"] |= who
        return await self._json("POST", metadata["token_endpoint"], request)

    async def _believed(
        self, token: str, begun: Begun, said: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        _, keys = await self._provider()
        try:
            decoded = jwt.decode(token, keys, algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            _, keys = await self._provider(anew=True)  # it may have other keys since
            decoded = _decoded(token, keys)
        options = {
            "iss": {"essential": True, "value": self._config.issuer},
            "aud": {"essential": True, "value": self._config.client_id},
            "nonce": {"essential": True, "value": begun.nonce},
        }
        params = {
            "client_id": self._config.client_id,
            "nonce": begun.nonce,
            "access_token": said.get("access_token"),
        }
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        try:
            claims.validate(leeway=LEEWAY_S)
        except JoseError as error:
            raise ProviderRefusedError(f"its token is not believed: {error}") from error
        return decoded.claims

    async def _with_more(
        self, metadata: Mapping[str, Any], claims: Mapping[str, Any], access: str
    ) -> Mapping[str, Any]:
        """Claims that the provider tells apart from the token, of the same person."""
        if "userinfo_endpoint" not in metadata or not access:
            return claims
        headers = {"authorization": f"Bearer {access}"}
        more = await self._json("GET", metadata["userinfo_endpoint"], {"headers": headers})
        if more.get("sub") != claims["sub"]:
            raise ProviderRefusedError("what it tells beside its token is of somebody else")
        return {**more, **claims}

    async def _provider(self, *, anew: bool = False) -> tuple[Mapping[str, Any], KeySet]:
        """What it says of itself, and its keys."""
        if self._known is not None and not anew and self._known[2] > time.monotonic():
            return self._known[:2]
        metadata = await self._json("GET", self._config.issuer.rstrip("/") + _WELL_KNOWN, {})
        if metadata.get("issuer") != self._config.issuer:
            raise ProviderRefusedError(
                f"{self._config.issuer} calls itself {metadata.get('issuer')!r}; 'issuer' must be "
                "that, to the letter"
            )
        wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if any(not isinstance(metadata.get(name), str) for name in wanted):
            raise ProviderRefusedError(f"{self._config.issuer} does not name {', '.join(wanted)}")
        found = await self._json("GET", metadata["jwks_uri"], {})
        try:
            keys = KeySet.import_key_set({"keys": found["keys"]})
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise ProviderRefusedError(f"its keys cannot be read: {error}") from error
        self._known = (metadata, keys, time.monotonic() + KNOWN_S)
        return metadata, keys

    async def _json(self, method: str, url: str, request: dict[str, Any]) -> dict[str, Any]:
        headers = {"accept": "application/json", **request.pop("headers", {})}
        reply = await self._called(method, url, headers=headers, **request)
        place = url.partition("?")[0]
        if reply.fate is not Fate.ANSWERED or reply.status >= 500:  # noqa: PLR2004 - its fault
            raise ProviderAwayError(f"{place}: {reply.why or f'HTTP {reply.status}'}")
        body = reply.body
        if reply.status != 200 or not isinstance(body, dict):  # noqa: PLR2004 - OK
            said = body.get("error", "") if isinstance(body, dict) else ""
            raise ProviderRefusedError(f"{place}: HTTP {reply.status} {said}".strip())
        return body

    async def _called(self, method: str, url: str, **request: Any) -> Reply:
        """One request over a connection of its own: people log in seldom."""
        try:
            caller = Caller("", TIMEOUT_S, max_bytes=MAX_BYTES, tls=self._config.tls)
        except OSError as error:
            raise ProviderAwayError(str(error)) from error
        try:
            return await caller.call(method, url, **request)
        finally:
            await caller.close()


def _decoded(token: str, keys: KeySet) -> jwt.Token:
    try:
        return jwt.decode(token, keys, algorithms=_ALGORITHMS)
    except (JoseError, ValueError) as error:
        raise ProviderRefusedError(f"its token is not believed: {error}") from error
