"""A certificate that is revoked is kept out without anybody thinking of the broker.

The shipped script and files with a real mosquitto; what systemd calls is called here.
"""

import asyncio
import os
import signal
import ssl
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest
from cryptography import x509

from tests.support.certificates import Authority
from tests.support.peers import program
from tests.support.shipped_broker import ADMITTED, ShippedMosquitto
from tests.support.waiting import wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
SCRIPT = DEPLOY / "mosquitto" / "revocations"
OWN = {"BROKER_USER": "root", "PERIOD": "0.2"}
"""The test's folder is root's, as the broker is that runs in it."""


class Watched(ShippedMosquitto):
    """The shipped broker as a container runs it."""

    @property
    def said(self) -> str:
        """What the script has said."""
        return (self.folder / "said").read_text()

    def start(self) -> None:
        """Start the script, which starts the broker."""
        with (self.folder / "said").open("w") as said:
            self._process = subprocess.Popen(
                [SCRIPT, "watch", self._program, "-c", str(self._config)],
                env=os.environ | OWN | {"FOLDER": str(self.folder)},
                stderr=said,
            )
        # It listens before it has read the list.
        wait_until(lambda: self.starts() > 0, "mosquitto says that it runs")

    def starts(self) -> int:
        """How often the broker has started."""
        return self._log.read_text().count(" running") if self._log.exists() else 0


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    program("openssl", "openssl")
    with Watched(tmp_path) as running:
        yield running


def script(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *arguments],
        check=False,
        env=os.environ | OWN | {"FOLDER": str(folder)} | more,
        capture_output=True,
        text=True,
        timeout=60,
    )


async def answer(broker: ShippedMosquitto, certificate: Path, key: Path) -> bytes:
    context = ssl.create_default_context(cafile=broker.authority.file)
    context.load_cert_chain(certificate, key)
    return await broker.answer(context)


async def test_a_revoked_gateway_is_put_out_and_stays_out(watched: Watched) -> None:
    certificate, key = watched.authority.client("gw-8")
    context = ssl.create_default_context(cafile=watched.authority.file)
    context.load_cert_chain(certificate, key)
    async with aiomqtt.Client("127.0.0.1", watched.tls_port, tls_context=context) as revoked:
        started = watched.starts()
        watched.authority.revoke(certificate)
        with pytest.raises(aiomqtt.MqttError):
            async for _ in revoked.messages:  # until its session ends
                pass
    await asyncio.to_thread(wait_until, lambda: watched.starts() > started, "the broker again")
    assert await answer(watched, certificate, key) == b""
    async with watched.gateway("gw-7"), watched.city():
        pass  # others are as before
    assert "has changed; the broker starts again" in watched.said


@pytest.mark.parametrize("kind", ["torn", "empty", "of another authority", "of the past"])
async def test_no_list_keeps_everybody_out(watched: Watched, kind: str) -> None:
    started, good = watched.starts(), watched.authority.revocations.read_bytes()
    bad = {"torn": good[: len(good) // 2], "empty": b""}.get(kind) or listed(watched.folder, kind)
    watched.authority.revocations.write_bytes(bad)
    await asyncio.to_thread(wait_until, lambda: "is not used" in watched.said, "it says so")
    assert watched.starts() == started
    async with watched.gateway("gw-7"):
        pass
    assert watched.said.count("is not used") == 1
    certificate, key = watched.authority.client("gw-8")
    assert await answer(watched, certificate, key) == ADMITTED
    watched.authority.revoke(certificate)  # made anew, as it says
    await asyncio.to_thread(wait_until, lambda: watched.starts() > started, "the broker again")
    assert await answer(watched, certificate, key) == b""


def listed(folder: Path, kind: str) -> bytes:
    """A list that a broker refuses everybody for."""
    (folder / "other").mkdir()
    if kind == "of another authority":
        return Authority(folder / "other").revocations.read_bytes()
    return (folder / "ended.crl").read_bytes()


@pytest.fixture(autouse=True)
def ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside each authority a list of its own that has ended."""
    made = Authority.revoke

    def both(self: Authority, *certificates: Path) -> None:
        made(self, *certificates)
        good = self.revocations.read_bytes()
        revoke_until(self, timedelta(minutes=-1))
        (self.revocations.parent / "ended.crl").write_bytes(self.revocations.read_bytes())
        self.revocations.write_bytes(good)

    monkeypatch.setattr(Authority, "revoke", both)


def revoke_until(authority: Authority, left: timedelta) -> None:
    """Make the list of an authority anew, with so much time left."""
    from cryptography.hazmat.primitives import hashes, serialization

    now = datetime.now(UTC)
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority._name)
    builder = builder.last_update(now - timedelta(minutes=5)).next_update(now + left)
    made = builder.sign(authority._key, hashes.SHA256())
    authority.revocations.write_bytes(made.public_bytes(serialization.Encoding.PEM))


async def test_who_stops_it_stops_the_broker(watched: Watched) -> None:
    assert watched._process is not None
    watched._process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(watched._process.wait, 30)
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", watched.tls_port)


async def test_it_ends_with_a_broker_that_ends(tmp_path: Path) -> None:
    assert (
        await asyncio.to_thread(script, tmp_path, "watch", "sh", "-c", "exit 3")
    ).returncode == 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The certificates of a broker."""
    Authority(tmp_path).server()
    return tmp_path


def test_the_broker_is_restarted_once_for_a_list(folder: Path) -> None:
    done = script(folder, "apply", "sh", "-c", "echo restarted")
    assert (done.returncode, done.stdout) == (0, "restarted\n"), done.stderr


def test_a_list_that_changes_while_the_broker_starts_is_applied_too(folder: Path) -> None:
    """Which of the two it has read, nobody knows."""
    (folder / "next").write_bytes((folder / "ca.crl").read_bytes() + b"\n")
    restart = f"echo restarted; if [ -f {folder}/next ]; then mv {folder}/next {folder}/ca.crl; fi"
    done = script(folder, "apply", "sh", "-c", restart)
    assert (done.returncode, done.stdout) == (0, "restarted\n" * 2)


@pytest.mark.parametrize("kind", ["ended", "unreadable"])
def test_the_broker_is_not_restarted_with_what_keeps_everybody_out(folder: Path, kind: str) -> None:
    if kind == "ended":
        (folder / "ended.crl").replace(folder / "ca.crl")
    else:
        (folder / "ca.crl").chmod(0o600)
        folder.chmod(0o755)
    done = script(folder, "apply", "echo", "restarted", BROKER_USER="nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert "the broker goes on with the one before" in done.stderr
    assert {"ended": "CRL has expired", "unreadable": "nobody cannot read it"}[kind] in done.stderr


def test_what_ends_soon_is_said_in_time(folder: Path) -> None:
    assert script(folder, "check", WARN_DAYS="0").returncode == 0
    soon = script(folder, "check", WARN_DAYS="1")  # the test's certificates are good for an hour
    assert soon.returncode == 1
    assert "within 1 days the broker will refuse every gateway" in soon.stderr
    assert "'authority renew' makes the list anew" in soon.stderr
    (folder / "ended.crl").replace(folder / "ca.crl")
    late = script(folder, "check", WARN_DAYS="1")
    assert late.returncode == 1
    assert "refuses every gateway" in late.stderr
    assert "CRL has expired" in late.stderr


@pytest.mark.parametrize("arguments", [(), ("apply",), ("watch",), ("check", "x"), ("nothing",)])
def test_what_cannot_be_asked_is_explained(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = script(tmp_path, *arguments)
    assert done.returncode == 2
    assert "revocations apply COMMAND" in done.stderr


@pytest.mark.parametrize("unit", ["qulink-revocations.path", "qulink-certificates.timer"])
def test_systemd_finds_nothing_wrong(unit: str, tmp_path: Path) -> None:
    verify = program("systemd-analyze", "systemd")
    for file in (DEPLOY / "mosquitto").glob("qulink-*"):
        text = file.read_text().replace("/opt/qulink/src/deploy", str(DEPLOY))
        (tmp_path / file.name).write_text(text)
    command = [verify, "verify", "--man=no", str(tmp_path / unit)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert [line for line in done.stderr.splitlines() if "qulink-" in line] == []
    assert done.returncode == 0, done.stderr


def test_the_guide_installs_what_is_shipped() -> None:
    guide = (DEPLOY / "README.md").read_text()
    for file in (DEPLOY / "mosquitto").iterdir():
        assert file.name in guide or f"{file.stem}.*" in guide, file.name
    enabled = "systemctl enable --now qulink-revocations.path qulink-certificates.timer"
    assert enabled in guide
