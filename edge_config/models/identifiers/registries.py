"""Nodes where identifiers are registered, by what they speak, and what is shown to them.

What the published standards leave open, and what nodes are seen to differ in, is configuration
with defaults: paths, codes, words in messages, names of templates.
"""

from typing import Annotated, Literal

from edge_config.models.base import (
    ClientTls,
    HttpUrl,
    Secret,
    allow_plain_field,
    demand_tls_scheme,
    pattern,
)
from edge_config.models.identifiers.places import Place
from edge_config.models.plain import demand_private
from edge_config.models.settings import Field, Rule, Settings

OutcomeWord = Literal[
    "ok",
    "exists",
    "not found",
    "invalid",
    "denied",
    "login refused",
    "busy",
    "quota used up",
    "unknown",
    "unreachable",
]
"""What a node's answer comes to."""

UrlPath = Annotated[
    str, Rule(pattern=pattern(r"^/[^\s?#]*$", "must be a path that begins with /, without ? and #"))
]


def _codes() -> dict[int, OutcomeWord]:
    meanings: dict[int, OutcomeWord] = Field(
        default_factory=dict,
        description="codes of answers that mean something else at this node, as 604: quota used "
        "up; default: what the interface's documents say",
    )
    return meanings


def _words() -> dict[str, OutcomeWord]:
    meanings: dict[str, OutcomeWord] = Field(
        default_factory=dict,
        description="parts of messages that say more than their codes, as 超出配额: quota used up",
    )
    return meanings


def _withdrawal() -> Literal["mark", "delete"]:
    fate: Literal["mark", "delete"] = Field(
        default="mark",
        description="what becomes of an identifier that was given by mistake; mark: it stays with "
        "the reason, and nobody can register it again",
    )
    return fate


def _public() -> bool:
    is_public: bool = Field(
        default=True, description="whether everybody may read the items of machines"
    )
    return is_public


class PasswordLogin(Settings):
    """The secret itself, with every request."""

    type: Literal["password"] = Field(description="kind of login")
    password: Secret = Field(description="secret of the identity")


class CertificateLogin(Settings):
    """The certificate of ``tls``, whose subject is the identity."""

    type: Literal["certificate"] = Field(description="kind of login")


class SecretKeyLogin(Settings):
    """A secret key (HS_SECKEY) that never travels."""

    type: Literal["secret-key"] = Field(description="kind of login")
    secret: Secret = Field(description="the secret key")


class PrivateKeyLogin(Settings):
    """A private key (HS_PUBKEY) that never travels."""

    type: Literal["private-key"] = Field(description="kind of login")
    key: Secret = Field(description="the private key, RSA, in PEM")
    passphrase: Secret | None = Field(default=None, description="of the key, if it has one")


KeyLogin = Annotated[SecretKeyLogin | PrivateKeyLogin, Rule(discriminator="type")]
HandleLogin = Annotated[
    PasswordLogin | CertificateLogin | SecretKeyLogin | PrivateKeyLogin, Rule(discriminator="type")
]
Identity = Annotated[
    str,
    Rule(
        pattern=pattern(
            r"^[0-9]{1,9}:[^\s/]+/\S+$", "must be index:prefix/suffix, as 300:88.999.1/ADMIN"
        )
    ),
]
"""Index and handle of the value that holds an administrator's key."""


class SnmsPaths(Settings):
    """Where the services of an SNMS node are."""

    login: UrlPath = Field(
        default="/identity/token/v1", description="where the day's hash of the secret buys a token"
    )
    data: UrlPath = Field(
        default="/identityv2/data",
        description="of identifiers; detail, batchCreate, batchUpdate and batchDelete follow",
    )
    template: UrlPath = Field(default="/snms/api/v5/template", description="of templates")
    listing: Literal[""] | UrlPath = Field(
        default="",
        description="where identifiers of a prefix are listed (GET, prefix and after), as a "
        "qulink node has it at /identityv2/data/list; empty: the node cannot list",
    )


class SnmsNode(Settings):
    """An enterprise or secondary node that speaks the SNMS interface."""

    type: Literal["snms"] = Field(description="kind of node")
    url: HttpUrl = Field(
        description="base address, as http://node:3000; what a secondary node puts before all "
        "paths, as /api, belongs to it"
    )
    username: str = Field(min_length=1, max_length=50, description="application identity")
    password: Secret = Field(description="its secret")
    tls: ClientTls | None = Field(default=None, description="for https")
    allow_plain: bool = allow_plain_field()
    paths: SnmsPaths = Field(default=SnmsPaths(), description="where its services are")
    withdrawal: Literal["mark", "delete"] = _withdrawal()
    codes: dict[int, OutcomeWord] = _codes()
    words: dict[str, OutcomeWord] = _words()
    success: tuple[str, ...] = Field(
        default=(),
        description="further messages by which one identifier of many has succeeded, beside 成功 "
        "and its like",
    )
    reason_field: str = Field(
        default="",
        max_length=64,
        description="name by which a deletion tells why, beside each handle, as a qulink node has "
        "it: reason; empty: not at all, since other nodes may refuse what they do not know",
    )
    carriers: Literal["passive", "active"] = Field(
        default="passive",
        description="what machines carry; active: carriers that sign (主动标识载体), for which "
        "templates are made with type 1; passive: labels",
    )

    def __post_init__(self) -> None:
        # Whoever reads a login on the way can repeat it until midnight: such is the interface.
        demand_private(self.url, has_secret=True, allow_plain=self.allow_plain)
        demand_tls_scheme(self.url, self.tls)


class NativeNode(Settings):
    """A server of the native protocol of handles that holds the prefix."""

    type: Literal["native"] = Field(description="kind of node")
    address: Place = Field(description="host:port, as node:2641")
    identity: Identity = Field(
        description="whose key it is: index and handle, as 300:88.999.1/ADMIN"
    )
    login: KeyLogin = Field(description="with what changes are proved")
    listing: bool = Field(
        default=False,
        description="whether the server lists the identifiers of a prefix (list handles, 105), to "
        "whom may register there",
    )
    public: bool = _public()
    withdrawal: Literal["mark", "delete"] = _withdrawal()


class HandleJsonNode(Settings):
    """A Handle server by its JSON interface."""

    type: Literal["handle-json"] = Field(description="kind of node")
    url: HttpUrl = Field(description="base address, as https://node:8000")
    identity: Identity = Field(
        description="who registers, and who may change what is registered: index and handle, as "
        "300:88.999.1/ADMIN"
    )
    login: HandleLogin = Field(description="how it is proved")
    tls: ClientTls | None = Field(default=None, description="for https")
    allow_plain: bool = allow_plain_field()
    path: UrlPath = Field(default="/api/handles", description="what stands before the handle")
    sessions_path: UrlPath = Field(default="/api/sessions", description="where sessions begin")
    listing: bool = Field(
        default=False,
        description="whether the path without a handle lists those of a prefix (GET, prefix, page "
        "and pageSize), to whom may register there",
    )
    public: bool = _public()
    withdrawal: Literal["mark", "delete"] = _withdrawal()
    codes: dict[int, OutcomeWord] = _codes()
    words: dict[str, OutcomeWord] = _words()

    def __post_init__(self) -> None:
        demand_private(self.url, has_secret=True, allow_plain=self.allow_plain)
        demand_tls_scheme(self.url, self.tls)
        has_certificate = self.tls is not None and self.tls.cert_file is not None
        if isinstance(self.login, CertificateLogin) and not has_certificate:
            raise ValueError("a login of type 'certificate' needs 'tls.cert_file' and 'key_file'")


class IdhubPaths(Settings):
    """Where the services of an IDHub node are."""

    challenge: UrlPath = Field(
        default="/api/v1/doip/public/challenge", description="where a challenge is given"
    )
    verify: UrlPath = Field(
        default="/api/v1/doip/public/verify-response", description="where it is answered"
    )
    operations: UrlPath = Field(default="/api/v1/doip", description="operations on identifiers")
    meta: UrlPath = Field(
        default="/api/v1/open/meta",
        description="of templates; info, create, update-item and publish-or-withdraw follow",
    )


class IdhubNode(Settings):
    """An enterprise node that speaks DOIP over HTTP (IDHub)."""

    type: Literal["idhub"] = Field(description="kind of node")
    url: HttpUrl = Field(description="base address, as https://node:3000")
    application: str = Field(
        pattern=pattern(r"^[^\s/]+/\S+$", "must be prefix/suffix, as 88.999.1/App_qulink"),
        description="handle of the application identity",
    )
    key: Secret = Field(description="its private key, RSA, in PEM")
    passphrase: Secret | None = Field(default=None, description="of the key, if it has one")
    tls: ClientTls | None = Field(default=None, description="for https")
    allow_plain: bool = allow_plain_field()
    paths: IdhubPaths = Field(default=IdhubPaths(), description="where its services are")
    meta: str = Field(
        default="{prefix}/META_{version}",
        pattern=pattern(
            r"^\{prefix\}/[0-9A-Za-z._-]*\{version\}[0-9A-Za-z._-]*$",
            "must be {prefix}/ and a name with {version}, as {prefix}/META_{version}",
        ),
        description="handle of a template",
    )
    classify_code: str = Field(
        default="UN_CLASSIFIED", min_length=1, description="class of templates at the node"
    )
    withdrawal: Literal["mark", "delete"] = _withdrawal()
    codes: dict[int, OutcomeWord] = _codes()
    words: dict[str, OutcomeWord] = _words()

    def __post_init__(self) -> None:
        # Its token is a secret that goes with every request.
        demand_private(self.url, has_secret=True, allow_plain=self.allow_plain)
        demand_tls_scheme(self.url, self.tls)
