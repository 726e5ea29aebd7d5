"""Signing and encryption, certificates and users, against node-opcua and asyncua."""

import logging
import shutil
from pathlib import Path

import pytest

from gateway.core.status import GOOD
from gateway.drivers.api import NotConnectedError, RefusedError
from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.connecting.certificates import own_certificate
from gateway.drivers.opcua.driver import OpcUaDriver
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import AsyncuaServer, ForeignServer, point

USER = {"username": "operator", "password": {"env": "QULINK_TEST_PASSWORD"}}
PASSWORD = "p:ss wörd"


def secured(server: ForeignServer, folder: Path, **fields: object) -> Connection:
    return server.connection(security="basic256sha256", certificate_dir=folder, **fields)


async def trust_server(driver: OpcUaDriver, folder: Path) -> None:
    """What an operator does after the first refusal."""
    with pytest.raises(RefusedError, match=r"is not trusted: SHA-256 [0-9A-F:]{95}"):
        await driver.connect()
    shutil.move(folder / "rejected", folder / "trusted")


async def reads_well(driver: OpcUaDriver) -> bool:
    reading = await driver.read(driver.plan([point("Double", "float64")]))
    return reading.status.tolist() == [GOOD] and reading.columns[0].tolist() == [1.5]


async def test_an_unknown_server_is_refused_until_it_is_trusted(
    foreign: ForeignServer, driver_for: Connect, tmp_path: Path
) -> None:
    driver = driver_for(secured(foreign, tmp_path))
    await trust_server(driver, tmp_path)
    await driver.connect()
    assert await reads_well(driver)
    await driver.subscribe("g", [point("Int16", "int16")], 100)
    (arrivals,) = await driver.arrivals()
    assert arrivals.columns[0].tolist() == [-30000]


async def test_a_pinned_certificate_and_a_user(
    foreign: ForeignServer,
    driver_for: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QULINK_TEST_PASSWORD", PASSWORD)
    await trust_server(driver_for(secured(foreign, tmp_path)), tmp_path)
    (pinned,) = (tmp_path / "trusted").iterdir()
    driver = driver_for(secured(foreign, tmp_path / "x", server_certificate=pinned, **USER))
    await driver.connect()
    assert await reads_well(driver)


async def test_another_certificate_than_the_pinned_is_refused(
    foreign: ForeignServer, driver_for: Connect, tmp_path: Path
) -> None:
    own = own_certificate(tmp_path)
    (tmp_path / "pinned.der").write_bytes(own.certificate)
    fields = {"server_certificate": tmp_path / "pinned.der"}
    with pytest.raises(RefusedError, match="is not trusted") as caught:
        await driver_for(secured(foreign, tmp_path, **fields)).connect()
    assert f"to {tmp_path / 'pinned.der'}" in str(caught.value)


@pytest.mark.parametrize("security", ["none", "basic256sha256"])
async def test_a_wrong_password_is_a_refusal(
    foreign: ForeignServer,
    driver_for: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    security: str,
) -> None:
    monkeypatch.setenv("QULINK_TEST_PASSWORD", "wrong-password")
    await trust_server(driver_for(secured(foreign, tmp_path)), tmp_path)
    connection = foreign.connection(security=security, certificate_dir=tmp_path, **USER)
    with pytest.raises(RefusedError, match=r"check 'username' and 'password'") as caught:
        await driver_for(connection).connect()
    assert "wrong-password" not in str(caught.value)


async def test_without_channel_security_the_password_is_still_encrypted(
    foreign: ForeignServer, driver_for: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's user token policy names an own security policy."""
    monkeypatch.setenv("QULINK_TEST_PASSWORD", PASSWORD)
    driver = driver_for(foreign.connection(**USER))
    await driver.connect()
    assert await reads_well(driver)


async def test_a_password_is_not_sent_in_clear_unless_allowed(
    driver_for: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This server's user token policy leaves the password as it is."""
    monkeypatch.setenv("QULINK_TEST_PASSWORD", PASSWORD)
    with AsyncuaServer() as server:
        with pytest.raises(RefusedError, match=r"wants the password unencrypted.*security: auto"):
            await driver_for(server.connection(**USER)).connect()
        driver = driver_for(server.connection(**USER, password_in_clear="allow"))
        await driver.connect()
        reading = await driver.read(driver.plan([point("Double", "float64")]))
        assert reading.columns[0].tolist() == [1.5]


async def test_a_missing_password_is_a_refusal(
    foreign: ForeignServer, driver_for: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QULINK_TEST_PASSWORD", raising=False)
    with pytest.raises(RefusedError, match="environment variable QULINK_TEST_PASSWORD"):
        await driver_for(foreign.connection(**USER)).connect()


async def test_secrets_reach_no_log(
    foreign: ForeignServer,
    driver_for: Connect,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("QULINK_TEST_PASSWORD", PASSWORD)
    driver = driver_for(foreign.connection(**USER))
    await driver.connect()
    await driver.close()
    monkeypatch.setenv("QULINK_TEST_PASSWORD", "wrong")
    with pytest.raises(RefusedError):
        await driver.connect()
    assert PASSWORD not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("asyncua")]


async def test_a_server_that_distrusts_us_is_a_refusal_with_remedy(
    driver_for: Connect, tmp_path: Path
) -> None:
    with ForeignServer(tmp_path / "pki", secure=True, trustAll=False) as server:
        driver = driver_for(secured(server, tmp_path / "own"))
        await trust_server(driver, tmp_path / "own")
        with pytest.raises(RefusedError, match="must trust our certificate") as caught:
            await driver.connect()
        assert "qulink-client.der" in str(caught.value)


async def test_no_session_left_is_a_refusal(driver_for: Connect, pki: Path) -> None:
    with ForeignServer(pki, maxSessions=1, anonymous=True) as server:
        first, second = driver_for(server.connection()), driver_for(server.connection())
        await first.connect()
        with pytest.raises(RefusedError, match="BadTooManySessions"):
            await second.connect()
        await first.close()
        await second.connect()
        assert await reads_well(second)


async def test_a_server_without_the_policy_is_a_refusal_that_lists_what_it_offers(
    driver_for: Connect, pki: Path, tmp_path: Path
) -> None:
    with ForeignServer(pki, anonymous=False, user="operator", password="x") as server:
        with pytest.raises(RefusedError, match="it offers None/None"):
            await driver_for(secured(server, tmp_path)).connect()
        with pytest.raises(RefusedError, match="BadIdentityToken"):
            await driver_for(server.connection()).connect()


async def test_nobody_there_is_no_refusal(driver_for: Connect, tmp_path: Path) -> None:
    server = ForeignServer(tmp_path)
    for connection in (server.connection(), secured(server, tmp_path)):
        with pytest.raises(NotConnectedError, match=f"connect to 127.0.0.1:{server.port}"):
            await driver_for(connection).connect()


async def test_an_unusable_own_certificate_is_a_refusal(
    foreign: ForeignServer, driver_for: Connect, tmp_path: Path
) -> None:
    await trust_server(driver_for(secured(foreign, tmp_path)), tmp_path)
    (tmp_path / "broken.pem").write_text("nothing", encoding="utf-8")
    for name, said in (("broken.pem", "certificates: "), ("missing.pem", "No such file")):
        fields = {"certificate_file": tmp_path / name, "key_file": tmp_path / name}
        with pytest.raises(RefusedError, match=said):
            await driver_for(secured(foreign, tmp_path, **fields)).connect()
