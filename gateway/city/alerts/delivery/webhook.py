"""Webhooks: signed JSON by POST, to the address that was looked at and to no other."""

import asyncio
import hmac
import socket
import ssl
from collections.abc import Callable, Sequence
from hashlib import sha256
from urllib.parse import urlsplit

import httpx

from edge_config.models.base import MIN_TOKEN, SecretUnavailableError
from edge_config.models.people.alerts import WebhookConfig
from gateway.city.alerts.delivery.outcome import AwayError, PutOffError, RefusedError
from gateway.city.alerts.delivery.targets import is_public

SIGNATURE, DELIVERY = "Qulink-Signature", "Qulink-Delivery"
_PORTS = {"https": 443, "http": 80}
_LATER = {408, 425, 429}
_NEVER = {410, 413, 415, 422}

Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system knows them.

    Raises:
        OSError: it knows none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def signature(secret: str, body: bytes, second: int) -> str:
    """``t=…,v1=…``: HMAC-SHA256 of ``t``, a dot and the body, in hexadecimal digits."""
    digest = hmac.new(secret.encode(), b"%d." % second + body, sha256).hexdigest()
    return f"t={second},v1={digest}"


class Hook:
    """A program that is told.

    Args:
        config: where it is.
        looked_up: finds the addresses of a host; in a thread.
    """

    def __init__(self, config: WebhookConfig, looked_up: Resolve = resolve) -> None:
        self._config, self._looked_up = config, looked_up
        parts = urlsplit(config.url)
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]

    async def send(self, body: bytes, key: str, now_ms: int) -> None:
        """Post a message.

        Raises:
            AwayError: the program cannot be reached, may not be, or does not do its work.
            PutOffError: it does not take this message now.
            RefusedError: it never takes it.
        """
        where = f"webhook {self._config.name}"
        try:
            async with asyncio.timeout(self._config.timeout_ms / 1000):
                status = await self._post(await self._address(), body, key, now_ms)
        except TimeoutError:
            waited = f"no answer within {self._config.timeout_ms} ms"
            raise AwayError(f"{where}: {waited}") from None
        except (httpx.HTTPError, OSError, SecretUnavailableError) as error:
            words = " ".join(str(error).split())[:200] or type(error).__name__
            raise AwayError(f"{where}: {words}") from error
        _judge(where, status)

    async def _address(self) -> str:
        """The one address that is connected to; a name that changes meanwhile changes nothing.

        Raises:
            AwayError: one of the addresses is not public, and none but public ones are allowed.
            OSError: there is none.
        """
        found = await asyncio.to_thread(self._looked_up, self._host, self._port)
        inner = [one for one in found if not is_public(one)]
        if inner and not self._config.allow_private:
            raise AwayError(
                f"webhook {self._config.name}: {self._host} is at {inner[0]}, which is not public; "
                "write 'allow_private: true' if it is meant"
            )
        return found[0]

    async def _post(self, address: str, body: bytes, key: str, now_ms: int) -> int:
        parts = urlsplit(self._config.url)
        secret = self._config.secret.reveal_long(MIN_TOKEN)
        host = f"[{address}]" if ":" in address else address
        target = parts._replace(netloc=f"{host}:{self._port}").geturl()
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/json; charset=utf-8",
            SIGNATURE: signature(secret, body, now_ms // 1000),
            DELIVERY: key,
            "Idempotency-Key": key,
            "User-Agent": "qulink",
        }
        context = await asyncio.to_thread(self._context)
        async with (
            httpx.AsyncClient(verify=context, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "POST",
                target,
                content=body,
                headers=headers,
                timeout=self._config.timeout_ms / 1000,
                extensions={"sni_hostname": self._host},
            ) as answer,
        ):
            return answer.status_code  # its body is nobody's business

    def _context(self) -> ssl.SSLContext:
        tls = self._config.tls
        context = ssl.create_default_context(cafile=tls.ca_file if tls else None)
        if tls is not None and tls.cert_file is not None:
            context.load_cert_chain(tls.cert_file, tls.key_file)
        return context


def _judge(where: str, status: int) -> None:
    if 200 <= status < 300:  # noqa: PLR2004 - classes of HTTP
        return
    said = f"{where} answers {status}"
    if status in _LATER:
        raise PutOffError(said)
    if status in _NEVER:
        raise RefusedError(said)
    if 300 <= status < 400:  # noqa: PLR2004 - as above
        raise AwayError(f"{said}, a redirect, which is not followed; write where it leads")
    raise AwayError(said)
