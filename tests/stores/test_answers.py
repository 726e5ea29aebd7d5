"""What the answers of a server mean: later, a person must act, or which line is to blame."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edge_config.models.base import Secret
from edge_config.models.city import Influx1Store
from gateway.city.stores.api import StoreError, StoreMisconfiguredError, StoreUnavailableError
from gateway.city.stores.delivery import Answer
from gateway.city.stores.influx1 import Influx1
from gateway.city.stores.influx2 import Influx2
from tests.stores.cases import T0, influx1, influx2, rows, series
from tests.support.influx2_contract import ContractServer
from tests.support.influxd import Influxd
from tests.support.peers import free_port


async def test_a_missing_database_or_bucket_needs_a_person(
    influxd: Influxd, contract: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = influx1(influxd.url, "nowhere"), influx2(monkeypatch, contract.url, bucket="nowhere")
    for made in (one, two):
        with pytest.raises(StoreMisconfiguredError, match="nowhere"):
            await made.open()
        with pytest.raises(StoreMisconfiguredError, match="404"):
            await made.write([rows([T0], a=("f8", [1.0]))])
        await made.close()


async def test_a_wrong_token_or_password_needs_a_person(
    contract: ContractServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = influx2(monkeypatch, contract.url, token="wrong")
    with Influxd(tmp_path, auth=True) as server:
        for made in (two, influx1(server.url)):
            with pytest.raises(StoreMisconfiguredError, match="401"):
                await made.open()
            with pytest.raises(StoreMisconfiguredError, match="401") as caught:
                await made.write([rows([T0], a=("f8", [1.0]))])
            assert "wrong" not in str(caught.value).replace("wrong token", "")
            await made.close()
        monkeypatch.setenv("STORE_PASSWORD", "secret")
        config = Influx1Store(
            type="influxdb1",
            url=server.url,
            database="qulink",
            username="admin",
            password=Secret(env="STORE_PASSWORD"),
        )
        good = Influx1(config)
        await good.open()
        assert await good.write([rows([T0], a=("f8", [1.0]))]) == []
        await good.close()


async def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    for made in (influx1(url), influx2(monkeypatch, url)):
        with pytest.raises(StoreUnavailableError):
            await made.open()
        with pytest.raises(StoreUnavailableError):
            await made.write([rows([T0], a=("f8", [1.0]))])
        await made.close()


async def test_somebody_listens_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for made in (influx1(url, timeout_ms=300), influx2(monkeypatch, url, timeout_ms=300)):
            with pytest.raises(StoreUnavailableError, match="Timeout"):
                await made.open()
            with pytest.raises(StoreUnavailableError, match="Timeout"):
                await made.write([rows([T0], a=("f8", [1.0]))])
            await made.close()


async def test_what_was_written_before_a_failure_is_written_again_and_counts_once(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = influx2(monkeypatch, contract.url)
    await made.open()
    table = rows(list(range(T0, T0 + 12_000)), a=("f8", [0.5] * 12_000))
    contract.poison = lambda body: str(T0 + 7_000) in body  # the second of three requests
    contract.poison_status = 503
    with pytest.raises(StoreUnavailableError, match="503"):
        await made.write([table])
    assert await made.count(["gw-1"], T0, T0 + 12_000) == 5_000
    contract.poison = lambda _body: False
    assert await made.write([table]) == []
    assert await made.count(["gw-1"], T0, T0 + 12_000) == 12_000
    await made.close()


@pytest.mark.parametrize("status", [408, 429, 503, 502])
async def test_later_with_the_wish_of_the_server(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    made = influx2(monkeypatch, contract.url)
    await made.open()
    contract.script = [(status, {"Retry-After": "7"})]
    with pytest.raises(StoreUnavailableError, match=str(status)) as caught:
        await made.write([rows([T0], a=("f8", [1.0]))])
    assert caught.value.retry_after_s == 7.0
    assert await made.write([rows([T0], a=("f8", [1.0]))]) == []
    await made.close()


async def test_500_is_tried_again_before_it_means_later(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = influx2(monkeypatch, contract.url)
    await made.open()
    contract.script = [(500, {})] * 2
    assert await made.write([rows([T0], a=("f8", [1.0]))]) == []
    contract.script = [(500, {})] * 4  # the batch three times, then our own line
    with pytest.raises(StoreUnavailableError, match="500"):
        await made.write([rows([T0], a=("f8", [1.0]))])
    assert contract.script == []
    await made.close()


async def test_a_line_that_always_makes_500_blocks_nobody(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = influx2(monkeypatch, contract.url)
    await made.open()
    contract.poison = lambda body: "equipment=poison" in body
    tables = [rows([T0 + i], a=("f8", [1.0])) for i in range(9)]
    bad = rows([T0], of=series(asset="poison"), a=("f8", [1.0]))
    refused = await made.write([*tables[:4], bad, *tables[4:]])
    assert [(r.series.equipment, r.values) for r in refused] == [("poison", 1)]
    assert await made.count(["gw-1"], T0, T0 + 20) == 9
    await made.close()


async def test_a_server_that_fails_while_a_batch_is_halved_loses_nothing(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = influx2(monkeypatch, contract.url)
    await made.open()
    table = rows([T0, T0 + 1], a=("f8", [1.0, 2.0]))
    contract.script = [(400, {}), *[(500, {})] * 4]
    with pytest.raises(StoreUnavailableError, match="500"):
        await made.write([table])
    assert await made.write([table]) == []
    assert await made.count(["gw-1"], T0, T0 + 2) == 2
    await made.close()


async def test_our_own_line_may_be_refused_without_blame_on_the_server(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the time of the batch, which may be older than the retention."""
    made = influx2(monkeypatch, contract.url)
    await made.open()
    contract.script = [*[(500, {})] * 3, (422, {})]
    refused = await made.write([rows([T0], a=("f8", [1.0]))])
    assert [(r.time_ms, r.reason[:4]) for r in refused] == [(T0, "500 ")]
    await made.close()


@pytest.mark.parametrize("kind", ["influx1", "contract2"])
async def test_a_backlog_older_than_the_retention_does_not_cost_requests_for_each_line(
    kind: str, request: pytest.FixtureRequest, gateway: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recent = time.time_ns() // 1_000_000
    if kind == "influx1":
        server = request.getfixturevalue("influxd")
        server.query("CREATE DATABASE brief WITH DURATION 1d")
        made: Influx1 | Influx2 = influx1(server.url, "brief")
    else:
        server = request.getfixturevalue("contract")
        server.oldest_ms = recent - 86_400_000
        made = influx2(monkeypatch, server.url)
    await made.open()
    bodies, post = [], made.post

    async def counted(body: bytes) -> Answer:
        bodies.append(body)
        return await post(body)

    monkeypatch.setattr(made, "post", counted)
    of, times = series(gateway), [*range(T0, T0 + 200), recent]
    refused = await made.write([rows(times, of=of, a=("f8", [1.0] * len(times)))])
    assert [r.time_ms for r in refused] == times[:-1]
    assert len(bodies) < 30
    assert await made.count([gateway], recent, recent + 1) == 1
    await made.close()


@pytest.mark.parametrize("status", [200, 301, 405])
async def test_only_an_influxdb_is_believed(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """A proxy that answers for a lost server must not make the city acknowledge anything."""
    with page_server(status) as url:
        for made in (influx1(url), influx2(monkeypatch, url)):
            with suppress(StoreError):
                await made.open()
            with pytest.raises(StoreMisconfiguredError, match=f"{status} .*check address"):
                await made.write([rows([T0], a=("f8", [1.0]))])
            with pytest.raises(StoreError):
                await made.latest(series())
            await made.close()


async def test_who_takes_the_write_protocol_alone_is_no_store() -> None:
    """VictoriaMetrics with -influx.databaseNames has this answer for whatever it is asked.

    It takes values, and would tell of none that they are held: an erasure would be certified.
    """
    told = b'{"statement_id":0,"series":[{"name":"databases","columns":["name"],"values":[["q"]]}]}'
    with page_server(200, b'{"results":[%s]}' % told) as url:
        made = influx1(url, "q")
        with pytest.raises(StoreMisconfiguredError, match="not the answer of an InfluxDB"):
            await made.open()
        await made.close()


@contextmanager
def page_server(
    status: int, body: bytes = b"<html><body>Please log in, \xe9</body></html>"
) -> Iterator[str]:
    """Something that answers every request with the same, by default a page of HTML."""

    class Page(BaseHTTPRequestHandler):
        timeout = 1.0  # a client that has lost interest must not keep the thread

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


async def test_413_halves_the_batch(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = influx2(monkeypatch, contract.url)
    await made.open()
    contract.script = [(413, {})]
    assert await made.write([rows([T0 + i for i in range(8)], a=("f8", [1.0] * 8))]) == []
    assert await made.count(["gw-1"], T0, T0 + 20) == 8
    await made.close()


async def test_many_lines_go_in_several_requests(
    contract: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = influx2(monkeypatch, contract.url)
    await made.open()
    before = contract.requests
    times = list(range(T0, T0 + 12_000))
    assert await made.write([rows(times, a=("i8", times))]) == []
    assert contract.requests - before == 3
    assert await made.count(["gw-1"], T0, T0 + 12_000) == 12_000
    await made.close()
