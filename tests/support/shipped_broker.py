"""mosquitto as ``deploy/`` sets it up: the shipped files, with other ports and folders."""

import asyncio
import os
import signal
import ssl
from pathlib import Path
from typing import Any

import aiomqtt

from gateway.city.registry.credentials import password_line
from tests.support.broker import Mosquitto
from tests.support.certificates import Authority
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import wait_until

SHIPPED = Path(__file__).parents[2] / "deploy" / "mosquitto"
USER = "\nuser root" if os.geteuid() == 0 else ""
ADMITTED = b"\x20\x02\x00\x00"
"""CONNACK with return code 0, of a new session (MQTT 3.1.1, 3.2)."""


class ShippedMosquitto(Mosquitto):
    """Both listeners of the shipped configuration.

    Attributes:
        passwords: the file of those who come by loopback; the city's password is city-secret.
        authority: signs the broker's certificate and those of gateways.
        tls_port: where gateways come.
    """

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.authority = Authority(folder)
        self.authority.server()
        self.passwords = folder / "passwords"
        self.passwords.write_text(password_line("city", "city-secret", 1000) + "\n")
        (folder / "acl").write_text((SHIPPED / "acl").read_text())
        self.tls_port = free_port()
        super().__init__(folder)
        text = (SHIPPED / "mosquitto.conf").read_text()
        for shipped, ours in (
            ("/etc/mosquitto/qulink", str(folder)),
            ("listener 1883 127.0.0.1\n", f"listener {self.port} 127.0.0.1\n"),
            ("listener 8883\n", f"listener {self.tls_port} 127.0.0.1\n"),
        ):
            assert shipped in text
            text = text.replace(shipped, ours)
        self._log = folder / "mosquitto.log"
        log = f"\nlog_dest file {self._log}\n"
        self._config.write_text(text + USER + log, encoding="utf-8")

    def start(self) -> None:
        """Start it and wait until it runs.

        Its listeners open one after the other, and only then it minds signals: a SIGHUP before
        would end it.
        """
        before = self._said("running")
        super().start()
        wait_for_port(self.tls_port)
        wait_until(lambda: self._said("running") > before, "mosquitto says that it runs")

    def reload(self) -> None:
        """As ``systemctl reload mosquitto`` does, and wait until it has read its files anew."""
        assert self._process is not None
        before = self._said("Reloading config.")
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: self._said("Reloading config.") > before, "mosquitto reloads")

    def _said(self, what: str) -> int:
        """How often; each start opens the file anew, but keeps what is in it."""
        return self._log.read_text(encoding="utf-8").count(what) if self._log.exists() else 0

    def gateway(self, name: str, **options: Any) -> aiomqtt.Client:
        """A client at the gateways' listener with a certificate of this name."""
        certificate, key = self.authority.client(name)
        context = ssl.create_default_context(cafile=self.authority.file)
        context.load_cert_chain(certificate, key)
        return aiomqtt.Client("127.0.0.1", self.tls_port, tls_context=context, **options)

    async def answer(
        self, context: ssl.SSLContext, *, login: tuple[str, ...] = (), will: tuple[str, ...] = ()
    ) -> bytes:
        """What it answers to a CONNECT at the gateways' listener; nothing: it ended the connection.

        MQTT clients do not notice that end before they are admitted, and wait for their time-out.

        Args:
            context: certificates.
            login: user and password.
            will: topic and payload of a retained will.
        """
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.tls_port, ssl=context)
        except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
            return b""
        try:
            writer.write(_connect(login, will))
            return await reader.read(len(ADMITTED))
        except (ssl.SSLError, ConnectionResetError, BrokenPipeError):
            return b""
        finally:
            writer.transport.abort()

    def city(self, **options: Any) -> aiomqtt.Client:
        """A client at the city's listener with its password."""
        return aiomqtt.Client(
            "127.0.0.1", self.port, username="city", password="city-secret", **options
        )

    def settings(self, name: str, **tls: Path | None) -> dict[str, Any]:
        """Broker settings of an edge or a city with a certificate and a password."""
        certificate, key = self.authority.client(name)
        secret = self.folder / f"{name}.secret"
        secret.write_text(f"{name}-secret")
        files = {"ca_file": self.authority.file, "cert_file": certificate, "key_file": key}
        return {
            "url": f"mqtts://127.0.0.1:{self.tls_port}",
            "username": name,
            "password": {"file": secret},
            "tls": files | tls,
        }


def _connect(login: tuple[str, ...], will: tuple[str, ...]) -> bytes:
    """CONNECT with an empty client id (MQTT 3.1.1, 3.1); shorter than 128 bytes."""
    flags = 0x02 | (0xC0 if login else 0) | (0x2C if will else 0)
    texts = [text.encode() for text in ("", *will, *login)]
    body = b"\0\4MQTT\4" + bytes([flags]) + b"\0\x3c"
    body += b"".join(len(text).to_bytes(2, "big") + text for text in texts)
    return b"\x10" + bytes([len(body)]) + body
