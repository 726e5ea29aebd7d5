"""What somebody without the secret, or with only a login, can do to the embedded node."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp

from gateway.identifier.node import rules
from gateway.identifier.node.http.login import MAX_LOGIN_BYTES
from gateway.identifier.template import EQUIPMENT_ITEMS
from gateway.throttle import FREE_ATTEMPTS, LONGEST_PAUSE_S, Throttle, site_of
from tests.support.node import served
from tests.support.waiting import SOON_S

LOGINS = ("/identity/token", "/identity/token/v1")


async def post(url: str, content: bytes) -> dict[str, Any]:
    async with httpx.AsyncClient(timeout=SOON_S, trust_env=False) as http:
        answer = await http.post(url, content=content)
    assert answer.status_code == 200
    return dict(answer.json())


@pytest.mark.parametrize("path", LOGINS)
@pytest.mark.parametrize("key", ["username", "password"])
@pytest.mark.parametrize("text", [r"\ud800", r"\udfff\ud800x", r"\u0000", "密"])
async def test_no_text_in_a_login_is_a_fault(
    tmp_path: Path, path: str, key: str, text: str
) -> None:
    async with served(tmp_path) as node:
        answer = await post(node.url + path, f'{{"{key}": "{text}"}}'.encode())
    assert (answer["status"], answer["message"]) == (-2, rules.WRONG_LOGIN)


async def test_guesses_are_slowed_down_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "gateway.identifier")
    # No time passes: on a busy machine the first pause would be over before the next attempt.
    async with served(tmp_path, clock_s=lambda: 0.0) as node:
        right = {"username": node.credentials.username, "password": node.credentials.secret}
        wrong = json.dumps(right | {"password": "123456"}).encode()
        answers = [await post(node.url + LOGINS[0], wrong) for _ in range(FREE_ATTEMPTS + 3)]
        told = [answer["message"] for answer in answers]
        assert told == [rules.WRONG_LOGIN] * FREE_ATTEMPTS + [rules.TOO_OFTEN] * 3
        # a right one tells nothing either while the pause lasts
        late = await post(node.url + LOGINS[0], json.dumps(right).encode())
        assert late["message"] == rules.TOO_OFTEN
    (line,) = [record.message for record in caplog.records]
    assert line == "node: wrong logins from 127.0.0.1; further ones have to wait"


async def test_guesses_that_wait_together_are_slowed_down_one_by_one(tmp_path: Path) -> None:
    """All were let in before any was found wrong: a hundred connections had as many guesses."""
    guesses, arrived, go_on = 3 * FREE_ATTEMPTS, asyncio.Semaphore(0), asyncio.Event()
    wrong = b'{"username": "qulink-city", "password": "123456"}'

    async def held_back() -> Any:
        yield wrong[:-1]
        await go_on.wait()
        yield wrong[-1:]

    def counted(app: ASGIApp) -> ASGIApp:
        async def counting(scope: Any, receive: Any, send: Any) -> None:
            arrived.release()
            await app(scope, receive, send)

        return counting

    async with (
        served(tmp_path, counted, clock_s=lambda: 0.0) as node,
        httpx.AsyncClient(timeout=SOON_S, trust_env=False) as http,
        asyncio.TaskGroup() as tasks,
    ):
        url = node.url + LOGINS[0]
        asked = [tasks.create_task(http.post(url, content=held_back())) for _ in range(guesses)]
        for _ in asked:
            await arrived.acquire()
        go_on.set()
        answers = [(await one).json()["message"] for one in asked]
    assert answers.count(rules.WRONG_LOGIN) == FREE_ATTEMPTS
    assert answers.count(rules.TOO_OFTEN) == guesses - FREE_ATTEMPTS


async def test_nobody_fills_memory_before_a_login(tmp_path: Path) -> None:
    """A body goes on for 32 MiB; the node hears no more of it than a login needs."""
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        for _ in range(512):
            yield b"x" * 65_536
            sent += 65_536
            await asyncio.sleep(0)

    async with served(tmp_path) as node, httpx.AsyncClient(timeout=SOON_S, trust_env=False) as http:
        with pytest.raises(httpx.HTTPError):
            answer = await http.post(node.url + LOGINS[0], content=endless())
            assert answer.json()["message"] == "请求体过大"
            raise httpx.WriteError("answered before all was sent")
    small = b'{"username": "' + b"x" * MAX_LOGIN_BYTES + b'"}'
    async with served(tmp_path) as node:
        assert (await post(node.url + LOGINS[0], small))["message"] == "请求体过大"


@pytest.mark.parametrize("prefix", ["86.1.QZ01", "88.9990.QZ01", "88.99", "99"])
async def test_only_the_nodes_own_prefix_is_registered(tmp_path: Path, prefix: str) -> None:
    async with served(tmp_path) as node, node.registry() as registry:
        refused = await registry.ensure_template(prefix, "1", EQUIPMENT_ITEMS)
        assert "不属于本节点88.999" in refused.message
        body = {"handle": f"{prefix}/1", "templateVersion": "1", "value": []}
        header = await registry._login.header()
        async with httpx.AsyncClient(timeout=SOON_S, trust_env=False, headers=header) as http:
            answer = (await http.post(f"{node.url}/identityv2/data", json=body)).json()
        assert "不属于本节点88.999" in answer["message"]
        assert node.count() == 0


def test_the_nodes_own_prefix_in_any_case_is_its_own() -> None:
    assert rules.foreign_prefix("88.999.qz01/1", "88.999") is None
    assert rules.foreign_prefix("88.999", "88.999") is None


@given(st.lists(st.floats(0, 600), min_size=FREE_ATTEMPTS + 1, max_size=60))
def test_pauses_begin_after_some_wrong_ones_and_are_bounded(waits: list[float]) -> None:
    throttle, now = Throttle(), 0.0
    logged = 0
    for number, wait in enumerate(waits, 1):
        now += wait
        logged += throttle.wrong("somebody", now)
        pause = throttle.pause_s("somebody", now)
        assert (pause > 0) == (number >= FREE_ATTEMPTS)
        assert pause <= LONGEST_PAUSE_S + 1e-6
        assert throttle.pause_s("somebody else", now) == 0
    assert logged == 1
    throttle.right("somebody")
    assert throttle.pause_s("somebody", now) == 0


def test_guesses_from_many_addresses_of_a_site_are_one_guessers() -> None:
    assert site_of("2001:db8::1") == site_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert site_of("::ffff:10.0.0.7") == site_of("10.0.0.7") == "10.0.0.7"
    assert site_of("fe80::1%eth0") == "fe80::/64"
    assert site_of("a socket") == "a socket"


def test_a_day_of_guessing_tries_no_more_than_a_few_hundred() -> None:
    throttle, now, tried = Throttle(), 0.0, 0
    while now < 86_400:
        throttle.wrong("somebody", now)
        tried += 1
        now += throttle.pause_s("somebody", now)
    assert tried < 310
