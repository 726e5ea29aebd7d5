"""A node while it runs: what is counted, who sees that, how much may be asked."""

from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from edge_config.models.identifiers.node import NodeDatabase, NodeLimits
from gateway.identifier.irp.bodies import Question
from gateway.identifier.native.walking.walk import Manner, Walker
from gateway.identifier.node import program, rules
from gateway.identifier.node.http import watching
from gateway.identifier.node.keeping import counts, users
from gateway.identifier.node.program import database_of
from gateway.identifier.node.visitors import MOST_WATCHED, Visitors
from gateway.web.access.passwords import hash_password
from gateway.web.listen import bind
from tests.identifier.irp.servers import site_at
from tests.identifier.node.acting import NOW_MS, template
from tests.identifier.node.running import body, configured, logged_in, running, settled
from tests.support.peers import free_port
from tests.support.waiting import SOON_S


async def test_what_is_done_over_http_and_natively_is_counted(url: str, tmp_path: Path) -> None:
    native = free_port()
    config = configured(
        tmp_path, database=NodeDatabase(url=url), native_listen=f"127.0.0.1:{native}"
    )
    secret = settled(config)
    async with running(config) as at, logged_in(at, secret) as http:
        made = await http.post("/snms/api/v5/template", json=template("88.999.QZ01"))
        assert made.json()["status"] == 1
        many = [body("1"), body("2"), body("1")]
        done = (await http.post("/identityv2/data/batchCreate", json=many)).json()["data"]
        assert [one["msg"] for one in done] == ["成功", "成功", "标识已存在"]
        walker = Walker((site_at(native),), Manner(SOON_S))
        try:
            found = await walker.resolve(Question("88.999.QZ01/1"))
        finally:
            walker.close()
        assert {one.index: one.data for one in found.held.values} == {1000: b"1", 2000: b"a"}
        await deleted_with_reasons(http)
        metrics = (await http.get("/metrics")).text
        assert (
            'qulink_node_answers_total{action="register",outcome="ok",protocol="snms"} 2.0'
        ) in metrics
        assert (await http.get("/healthz")).json() == {"status": "ok", "parts": {"database": "ok"}}
        assert (await http.get("/statistics?hours=0")).status_code == 400
        told = (await http.get("/statistics?hours=24")).json()
        assert told["identifiers"] == 1
    database = database_of(config)
    found_counts = {
        (one.protocol, one.action): dict(one.outcomes)
        for one in database.run_now(counts.figures, NOW_MS)
    }
    database.close()
    assert found_counts["snms", "register"] == {"ok": 2, "exists": 1}
    assert found_counts["native", "resolve"]["ok"] >= 1


async def deleted_with_reasons(http: httpx.AsyncClient) -> None:
    """One of two is deleted; what is no reason, or nobody's identifier, harms no other."""
    one = "88.999.QZ01/2"
    many = [{"handle": one, "reason": why} for why in ("x" * 301, "a\tb", 7, "录重")]
    answer = await http.request(
        "DELETE", "/identityv2/data/batchDelete", json=["88.999.QZ01/9", *many]
    )
    assert [(each["code"], each["msg"]) for each in answer.json()["data"]] == [
        (-2, rules.ABSENT),
        (-2, rules.LONG_REASON),
        (-2, rules.BAD_REASON),
        (-2, rules.BAD_REASON),
        (1, rules.SUCCESS),
    ]
    gone = (await http.get("/identityv2/data/detail", params={"handle": one})).json()
    assert (gone["status"], gone["message"]) == (-2, rules.NOT_FOUND)
    assert gone["data"] == {
        "handle": one,
        "withdrawnTime": NOW_MS,
        "withdrawnBy": "qz01",
        "reason": "录重",
    }


async def test_figures_are_not_everybodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_is_here", lambda _host: False)  # a visitor from elsewhere
    config = configured(tmp_path)
    secret = settled(config)
    async with running(config) as at, logged_in(at, secret) as http:
        for path in ("/metrics", "/statistics"):
            assert (await http.get(path)).status_code == 403, "an enterprise is no operator"
        assert (await http.get("/healthz")).json() == {"status": "ok"}
        database = database_of(config)
        database.run_now(lambda c: c.execute(text("UPDATE user_account SET role = 'reviewer'")))
        database.close()
        for path in ("/metrics", "/statistics"):
            assert (await http.get(path)).status_code == 200


async def test_who_asks_too_often_waits_and_the_watchdog_does_not(tmp_path: Path) -> None:
    config = configured(tmp_path, limits=NodeLimits(requests_per_minute=10))
    secret = settled(config)
    async with running(config) as at, logged_in(at, secret) as http:
        answers = [await http.get("/identityv2/data/detail") for _ in range(12)]
        assert [one.status_code for one in answers][:9] == [200] * 9
        assert answers[-1].status_code == 429
        assert answers[-1].json()["message"] == "请求过于频繁，请稍后再试"
        assert (await http.get("/healthz")).status_code == 200


async def test_people_log_in_by_their_password(tmp_path: Path) -> None:
    config = configured(tmp_path)
    settled(config)
    database = database_of(config)
    database.run_now(users.set_password, "qz01", hash_password("correct horse"))
    database.close()
    async with running(config) as at, logged_in(at, "correct horse") as http:
        answer = await http.get("/snms/api/v5/template", params={"prefix": "a", "version": "\0"})
        assert answer.json()["message"] == "缺少必要的请求参数: version"


@pytest.mark.parametrize("within", ["", "node."])
async def test_a_port_in_use_is_told_with_its_key(tmp_path: Path, within: str) -> None:
    with closing(bind("127.0.0.1:0")) as other:
        config = configured(tmp_path, listen=f"127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(ExceptionGroup) as caught:
            await program.run(config, lambda: NOW_MS, within=within)
    (error,) = caught.value.exceptions
    assert f"is in use; stop the program that listens on {config.listen}" in str(error)
    assert str(error).endswith(f"in '{within}listen'")


def test_visitors_are_counted_each_for_itself_and_some_are_forgotten() -> None:
    visitors = Visitors(60)
    assert [visitors.may_ask("a", 0.0) for _ in range(61)] == [True] * 60 + [False]
    assert visitors.may_ask("b", 0.0)
    assert visitors.may_ask("a", 1.0)
    assert not visitors.may_ask("a", 1.0)
    for number in range(2 * MOST_WATCHED):
        visitors.may_ask(str(number), 2.0)
    assert len(visitors._left) == MOST_WATCHED


@pytest.mark.parametrize("change", [{"listen": "0.0.0.0:0"}, {"native_listen": "0.0.0.0:2641"}])
def test_what_others_reach_is_said_in_full(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"needs 'tls'|set 'native_address'"):
        configured(tmp_path, **change)
