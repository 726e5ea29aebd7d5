"""Every policy and mode, against node-opcua and the server of asyncua."""

import shutil
from pathlib import Path

import pytest

from gateway.drivers.api import RefusedError
from gateway.drivers.opcua.config import BROKEN, SECURED
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import ForeignServer
from tests.drivers.opcua.test_security import reads_well, trust_server

FOREIGN_NAMES = {
    "aes256_sha256_rsapss": "Aes256_Sha256_RsaPss",
    "basic256sha256": "Basic256Sha256",
    "aes128_sha256_rsaoaep": "Aes128_Sha256_RsaOaep",
    "basic256": "Basic256",
    "basic128rsa15": "Basic128Rsa15",
}
MODES = {"sign_and_encrypt": "SignAndEncrypt", "sign": "Sign"}


def offering(pki: Path, policies: list[str], modes: list[str]) -> ForeignServer:
    return ForeignServer(pki, policies=policies, modes=modes)


@pytest.mark.parametrize("policy", [*SECURED, *BROKEN])
@pytest.mark.parametrize("mode", MODES)
async def test_a_server_that_offers_one_way_only_is_read(
    driver_for: Connect, pki: Path, tmp_path: Path, policy: str, mode: str
) -> None:
    fields = {"security": policy, "security_mode": mode, "certificate_dir": tmp_path}
    with offering(pki, [FOREIGN_NAMES[policy]], [MODES[mode]]) as server:
        driver = driver_for(server.connection(**fields))
        await trust_server(driver, tmp_path)
        await driver.connect()
        assert await reads_well(driver)
        words = " ".join(one.words for one in driver.notices())
        assert ("can be broken" in words) is (policy in BROKEN)
        assert ("not encrypted" in words) is (mode == "sign" and policy not in BROKEN)


@pytest.mark.parametrize(
    ("policies", "modes", "chosen"),
    [
        (["Basic256Sha256", "Aes256_Sha256_RsaPss"], ["Sign", "SignAndEncrypt"], ""),
        (["Aes128_Sha256_RsaOaep"], ["None", "Sign"], "not encrypted"),
    ],
)
async def test_auto_takes_the_strongest(
    driver_for: Connect,
    pki: Path,
    tmp_path: Path,
    policies: list[str],
    modes: list[str],
    chosen: str,
) -> None:
    with offering(pki, [*policies, "None"], modes) as server:
        driver = driver_for(server.connection(security="auto", certificate_dir=tmp_path))
        await trust_server(driver, tmp_path)
        await driver.connect()
        assert await reads_well(driver)
        (words,) = [one.words for one in driver.notices()] or [""]
        assert chosen in words and bool(chosen) is bool(words)


async def test_auto_takes_nothing_broken(driver_for: Connect, pki: Path, tmp_path: Path) -> None:
    with offering(pki, ["Basic256", "None"], ["None", "Sign", "SignAndEncrypt"]) as server:
        driver = driver_for(server.connection(security="auto", certificate_dir=tmp_path))
        with pytest.raises(RefusedError, match=r"does not offer aes256.*it offers Basic256/Sign"):
            await driver.connect()


async def test_an_encrypted_mode_is_not_given_up_for_a_signed_one(
    driver_for: Connect, pki: Path, tmp_path: Path
) -> None:
    with offering(pki, ["Basic256Sha256"], ["Sign"]) as server:
        fields = {"security": "basic256sha256", "certificate_dir": tmp_path}
        with pytest.raises(RefusedError, match=r"does not offer basic256sha256/sign_and_encrypt"):
            await driver_for(server.connection(**fields)).connect()


async def test_a_pinned_certificate_needs_no_discovery(
    foreign: ForeignServer, driver_for: Connect, tmp_path: Path
) -> None:
    fields = {"security": "basic256sha256", "certificate_dir": tmp_path}
    await trust_server(driver_for(foreign.connection(**fields)), tmp_path)
    (trusted,) = (tmp_path / "trusted").iterdir()
    pinned = tmp_path / "server.der"
    shutil.move(trusted, pinned)
    driver = driver_for(foreign.connection(**fields, server_certificate=pinned, discover=False))
    await driver.connect()
    assert await reads_well(driver)
    for wrong in (tmp_path / "missing.der", tmp_path):
        other = foreign.connection(**fields, server_certificate=wrong, discover=False)
        with pytest.raises(RefusedError, match=f"from server_certificate, {wrong}: "):
            await driver_for(other).connect()
