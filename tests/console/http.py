"""Plain requests to a served console."""

import json
from typing import Any

import httpx

from tests.support.waiting import SOON_S

TRUST = httpx.create_ssl_context(trust_env=False)
"""For every client: to read the certificates takes longer than to make a page."""


async def get(url: str, **options: Any) -> httpx.Response:
    """One GET without following redirects."""
    async with httpx.AsyncClient(verify=TRUST, trust_env=False, timeout=SOON_S) as client:
        return await client.get(url, **options)


async def post(url: str, data: dict[str, str], **options: Any) -> httpx.Response:
    """One form without following redirects."""
    async with httpx.AsyncClient(verify=TRUST, trust_env=False, timeout=SOON_S) as client:
        return await client.post(url, data=data, **options)


async def blocks(url: str) -> dict[str, str]:
    """What a page that updates itself sends first: HTML by block."""
    headers = {"accept": "text/event-stream"}
    async with (
        httpx.AsyncClient(verify=TRUST, trust_env=False, timeout=SOON_S) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                found: dict[str, str] = json.loads(line.removeprefix("data: "))
                return found
    raise AssertionError(f"{url} sent nothing")
