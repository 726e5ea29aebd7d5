"""The contract server answers as a real 2.9.1 did; with a real 2.x at hand, so does that one."""

import gzip
import os
import time
from dataclasses import dataclass, field

import httpx
import pytest

from tests.stores.cases import T0
from tests.support.influx2_contract import BUCKET, ORG, TOKEN, ContractServer

SERVERS = ["contract", *(["real"] if "QULINK_TEST_INFLUX2_URL" in os.environ else [])]
LINES = [
    ("m,a=b x=1", 204),
    ("m,a=b u=1u", 204),
    ("m,a=b big=9007199254740993i", 204),
    ('m,a=b long="' + "x" * 70_000 + '"', 204),
    ('m,a=b two="a\nb"', 204),
    ("m,标签=值 字段=1", 204),
    ("m,a=b x=NaN", 400),
    ("m,a=b over=9223372036854775808i", 400),
    ("m,a= x=1", 400),
    ("m,a=b\\ x=1", 400),
    ("m,time=b x=1", 400),
    ("m,a=b time=1", 422),
    ("m,a=b x=1i", 422),
]


@dataclass
class Server:
    """Where to post lines as they are."""

    url: str
    token: str = TOKEN
    params: dict[str, str] = field(default_factory=lambda: {"org": ORG, "bucket": BUCKET})

    def post(self, body: bytes, token: str = "", **changes: str) -> int:
        headers = {"Authorization": f"Token {token or self.token}", "Content-Encoding": "gzip"}
        params = self.params | {"precision": "ms"} | changes
        url = f"{self.url}/api/v2/write"
        return httpx.post(url, params=params, headers=headers, content=body).status_code

    def write(self, *lines: str) -> int:
        return self.post(gzip.compress("\n".join(lines).encode()))


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    if request.param == "contract":
        made: ContractServer = request.getfixturevalue("contract")
        return Server(made.url)
    url, token, org, bucket = (
        os.environ[f"QULINK_TEST_INFLUX2_{name}"] for name in ("URL", "TOKEN", "ORG", "BUCKET")
    )
    return Server(url, token, {"org": org, "bucket": bucket})


@pytest.mark.parametrize(("line", "status"), LINES)
def test_lines(server: Server, line: str, status: int) -> None:
    measurement = f"c{time.time_ns()}"
    assert server.write(f"{measurement},a=b x=1.5 {T0}") == 204
    assert server.write(f"{measurement}{line[1:]} {T0 + 1}") == status


def test_requests(server: Server) -> None:
    body = gzip.compress(f"c{time.time_ns()} x=1 {T0}".encode())
    assert server.post(body) == 204
    assert server.post(gzip.compress(b"")) == 204
    assert server.post(body, token="wrong") == 401
    assert server.post(body, bucket="nowhere") == 404
    assert server.post(body, precision="h") == 400
    assert server.post(b"no gzip at all") == 500
