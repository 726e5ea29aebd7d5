"""A mail server by others, as a process: aiosmtpd, which keeps what it takes as files."""

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from tests.support.waiting import SOON_S


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.asynccontextmanager
async def mail_server(folder: Path, port: int, *options: str) -> AsyncIterator[None]:
    """Take mails at a port of loopback until the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aiosmtpd", "-n", "-l", f"127.0.0.1:{port}", *options,
        "-c", "tests.alerts.smtp_faults.Keeping", str(folder),
        cwd=Path(__file__).parents[2], stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SOON_S):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.02)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def mails(folder: Path) -> list[tuple[list[str], EmailMessage]]:
    """What was taken, oldest first: for whom by the envelope, and the mail."""
    found = [json.loads(one.read_text()) for one in sorted(folder.glob("*.json"))]
    return [(one["to"], _parsed(one["data"])) for one in found]


def _parsed(data: str) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(data.encode("latin-1"), policy=policy.default))
