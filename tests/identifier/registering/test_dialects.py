"""What is particular to a dialect: how one shows oneself, and what else a node holds."""

import dataclasses
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from edge_config.models.base import ClientTls, Secret
from edge_config.models.identifiers.registries import (
    CertificateLogin,
    HandleJsonNode,
    IdhubNode,
    OutcomeWord,
    PasswordLogin,
)
from gateway.identifier.registering.handle_json import HandleJsonRegistry
from gateway.identifier.registering.idhub import IdhubRegistry
from gateway.identifier.registering.registry import Outcome, Registry
from tests.identifier.registering import places
from tests.identifier.registering.json_server import HandleJsonServer, IdhubServer
from tests.identifier.registering.places import IDENTITY, KEY, PREFIX, SECRET, TIMEOUT_S
from tests.identifier.registering.test_conformance import (
    FIRST,
    assert_ok,
    outcomes,
    prepared,
    record,
)
from tests.support.certificates import Authority

ODD = dataclasses.replace(FIRST, handle=f"{PREFIX}/设备 1#?a=%25/&b")


@asynccontextmanager
async def closing(registry: Registry) -> AsyncIterator[Registry]:
    try:
        yield registry
    finally:
        await registry.close()


def handle_node(url: str, folder: Path, **more: object) -> HandleJsonNode:
    login = places.logins(folder)["password"]
    given = {"type": "handle-json", "url": url, "identity": IDENTITY, "login": login, **more}
    return HandleJsonNode(**given)  # type: ignore[arg-type]


@asynccontextmanager
async def handle_registry(
    server: HandleJsonServer, folder: Path, **more: object
) -> AsyncIterator[HandleJsonRegistry]:
    async with places.serving(server.app) as url:
        registry = HandleJsonRegistry(handle_node(url, folder, **more), TIMEOUT_S)
        try:
            yield registry
        finally:
            await registry.close()


def test_words_of_a_configuration_are_outcomes() -> None:
    assert get_args(OutcomeWord) == tuple(Outcome)


@pytest.mark.parametrize("login", ["password", "secret-key", "private-key"])
async def test_ways_to_show_oneself_to_a_handle_server(tmp_path: Path, login: str) -> None:
    server = HandleJsonServer(IDENTITY, SECRET, KEY.public_key())
    async with places.serving(server.app) as url:
        node = handle_node(url, tmp_path, login=places.logins(tmp_path)[login], public=False)
        async with closing(HandleJsonRegistry(node, TIMEOUT_S)) as registry:
            assert_ok(*await registry.create([ODD]), *await registry.create([FIRST]))
            assert (await registry.read(ODD.handle)).record == ODD
        server.secret, server.public_key = "another one", None
        server.expire()
        async with closing(HandleJsonRegistry(node, TIMEOUT_S)) as registry:
            (result,) = await registry.create([record(9)])
    assert result.outcome is Outcome.LOGIN, result
    assert SECRET not in result.message
    assert set(server.held) == {ODD.handle, FIRST.handle}


async def test_a_handle_keeps_its_administrator_and_what_is_not_ours(tmp_path: Path) -> None:
    server = HandleJsonServer(IDENTITY, SECRET)
    async with handle_registry(server, tmp_path) as registry:
        assert_ok(*await registry.create([FIRST]))
        foreign = {"index": 7, "type": "URL", "data": {"format": "string", "value": "http://a"}}
        server.held[FIRST.handle][7] = foreign
        assert_ok(*await registry.update([record(assetNo="")]))
        assert_ok(*await registry.withdraw([FIRST], "误录"))
    held = server.held[FIRST.handle]
    assert held[7] == foreign
    admin = {"handle": f"{PREFIX}/ADMIN", "index": 300, "permissions": "011111110011"}
    assert held[100]["data"] == {"format": "admin", "value": admin}
    assert [one["type"] for one in held.values() if one["index"] >= 1000] == [
        "TEMPLATE_ID",
        "WITHDRAWN",
    ]


async def test_another_administrators_handle_is_left_alone(tmp_path: Path) -> None:
    server = HandleJsonServer(IDENTITY, SECRET)
    async with handle_registry(server, tmp_path) as registry:
        assert_ok(*await registry.create([FIRST]))
        server.held[FIRST.handle][100]["data"]["value"]["handle"] = f"{PREFIX}/OTHER"
        assert outcomes(await registry.update([record(assetNo="B")])) == [Outcome.DENIED]
        assert (await registry.read(FIRST.handle)).record == FIRST


async def test_a_handle_that_differs_in_case_is_anothers(tmp_path: Path) -> None:
    server = HandleJsonServer(IDENTITY, SECRET)
    upper = dataclasses.replace(FIRST, handle=f"{PREFIX}/EQ.1")
    lower = dataclasses.replace(record(assetNo="B"), handle=f"{PREFIX}/eq.1")
    async with handle_registry(server, tmp_path) as registry:
        assert_ok(*await registry.create([upper]))
        assert outcomes(await registry.create([lower])) == [Outcome.EXISTS]
        assert outcomes(await registry.update([lower])) == [Outcome.INVALID]
        assert (await registry.read(lower.handle)).record == upper


async def test_a_handle_may_be_deleted_if_the_operator_says_so(tmp_path: Path) -> None:
    server = HandleJsonServer(IDENTITY, SECRET)
    async with handle_registry(server, tmp_path, withdrawal="delete") as registry:
        assert_ok(*await registry.create([FIRST]))
        assert_ok(*await registry.withdraw([FIRST], "误录"))
        assert (await registry.read(FIRST.handle)).outcome is Outcome.NOT_FOUND


async def test_codes_of_a_configuration_count(tmp_path: Path) -> None:
    server = HandleJsonServer(IDENTITY, SECRET)
    async with handle_registry(server, tmp_path, codes={101: "quota used up"}) as registry:
        assert_ok(*await registry.create([FIRST]))
        assert outcomes(await registry.create([FIRST])) == [Outcome.QUOTA]


async def test_a_server_without_a_certificate_that_is_trusted_gets_no_secret(
    tmp_path: Path,
) -> None:
    ours, other = Authority(tmp_path), Authority(tmp_path, "other")
    cert, key = other.server("other-server")
    server = HandleJsonServer(IDENTITY, SECRET)
    async with places.serving(server.app, ssl_certfile=str(cert), ssl_keyfile=str(key)) as url:
        node = handle_node(url, tmp_path, tls=ClientTls(ca_file=ours.file))
        async with closing(HandleJsonRegistry(node, TIMEOUT_S)) as registry:
            (result,) = await registry.create([FIRST])
        assert result.outcome is Outcome.UNREACHABLE
        assert "certificate" in result.message.lower()
        trusting = handle_node(url, tmp_path, tls=ClientTls(ca_file=other.file))
        async with closing(HandleJsonRegistry(trusting, TIMEOUT_S)) as registry:
            assert_ok(*await registry.create([FIRST]))
    assert [one.partition(" ")[0] for one in server.asked] == ["PUT"]


async def test_a_certificate_shows_who_asks(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.server()
    server = HandleJsonServer(IDENTITY, SECRET, takes_certificates=True)
    files = {
        "ssl_certfile": str(cert),
        "ssl_keyfile": str(key),
        "ssl_ca_certs": str(authority.file),
    }
    mine, its_key = authority.client("admin")
    async with places.serving(server.app, **files, ssl_cert_reqs=ssl.CERT_REQUIRED) as url:
        tls = ClientTls(ca_file=authority.file, cert_file=mine, key_file=its_key)
        login = CertificateLogin(type="certificate")
        async with closing(
            HandleJsonRegistry(handle_node(url, tmp_path, tls=tls, login=login), TIMEOUT_S)
        ) as registry:
            assert_ok(await registry.login(), *await registry.create([FIRST]))
        bare = handle_node(url, tmp_path, tls=ClientTls(ca_file=authority.file))
        async with closing(HandleJsonRegistry(bare, TIMEOUT_S)) as stranger:
            (result,) = await stranger.create([record(2)])
    assert result.outcome in (Outcome.UNREACHABLE, Outcome.UNKNOWN)
    assert set(server.held) == {FIRST.handle}


async def test_a_secret_that_is_missing_is_a_refused_login(tmp_path: Path) -> None:
    login = PasswordLogin(type="password", password=Secret(file=tmp_path / "none"))
    server = HandleJsonServer(IDENTITY, SECRET)
    async with handle_registry(server, tmp_path, login=login) as registry:
        result = await registry.login()
        reading = await registry.read(FIRST.handle)
    assert result.outcome is reading.outcome is Outcome.LOGIN
    assert str(tmp_path / "none") in result.message
    assert server.asked == []


async def test_an_idhub_node_without_regard_to_case_or_without_the_template(tmp_path: Path) -> None:
    server = IdhubServer(places.APPLICATION, KEY.public_key())
    key = places.key_file(tmp_path)
    upper = dataclasses.replace(FIRST, handle=f"{PREFIX}/EQ.1")
    lower = dataclasses.replace(record(assetNo="B"), handle=f"{PREFIX}/eq.1")
    async with places.serving(server.app) as url:
        node = IdhubNode(type="idhub", url=url, application=places.APPLICATION, key=key)
        async with closing(IdhubRegistry(node, TIMEOUT_S)) as registry:
            await prepared(registry)
            assert_ok(*await registry.create([upper]))
            assert outcomes(await registry.create([lower])) == [Outcome.EXISTS]
            assert outcomes(await registry.update([lower])) == [Outcome.INVALID]
            assert (await registry.read(lower.handle)).record == upper
            other = dataclasses.replace(upper, template_version="2")
            assert outcomes(await registry.update([other])) == [Outcome.DENIED]


@pytest.mark.parametrize(
    ("application", "why"),
    [(places.APPLICATION, "客户端认证失败"), (f"{PREFIX}/App_other", "标识格式异常")],
)
async def test_an_idhub_node_refuses_a_login(tmp_path: Path, application: str, why: str) -> None:
    other = generate_private_key(65_537, 2_048).public_key()
    server = IdhubServer(places.APPLICATION, other)
    key = places.key_file(tmp_path)
    async with places.serving(server.app) as url:
        node = IdhubNode(type="idhub", url=url, application=application, key=key)
        async with closing(IdhubRegistry(node, TIMEOUT_S)) as registry:
            assert (login := await registry.login()).outcome is Outcome.LOGIN
            assert why in login.message
            assert outcomes(await registry.create([FIRST, record(2)])) == [Outcome.LOGIN] * 2


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"url": "http://node.example:8000"}, "in the clear"),
        ({"url": "http://192.0.2.1:8000"}, "allow_plain"),
        ({"login": CertificateLogin(type="certificate")}, "tls.cert_file"),
    ],
)
def test_nodes_that_contradict_themselves(
    tmp_path: Path, changed: dict[str, object], why: str
) -> None:
    given: dict[str, object] = {"url": "https://127.0.0.1:1", **changed}
    with pytest.raises(ValueError, match=why):
        handle_node(str(given.pop("url")), tmp_path, **given)
