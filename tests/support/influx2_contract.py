"""A server that behaves as InfluxDB 2.x does where the writer depends on it.

Its behaviours are the rows of :data:`ANSWERS`, measured on a real 2.9.1. It parses lines on its
own – not with the product's code –, keeps them, and understands the shapes of Flux that the store
sends. The same test cases run on a real 1.x server and, when there is one, on a real 2.x.
"""

import asyncio
import gzip
import json
import re
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.peers import free_port, wait_for_port
from tests.support.server import Server

ANSWERS = {
    "parse error": (400, "invalid", "unable to parse '{line}': {why}"),
    "type conflict": (
        422,
        "unprocessable entity",
        (
            "failure writing points to database: partial write: field type conflict: "
            'input field "{field}" on measurement "{measurement}" is type {new}, '
            "already exists as type {old} dropped={dropped}"
        ),
    ),
    "beyond retention": (
        422,
        "unprocessable entity",
        (
            "failure writing points to database: partial write: points beyond retention policy "
            "dropped={dropped}"
        ),
    ),
    "field time": (
        422,
        "unprocessable entity",
        (
            "failure writing points to database: partial write: invalid field name: input field "
            '"time" on measurement "{measurement}" is invalid dropped={dropped}'
        ),
    ),
    "corrupt gzip": (500, "internal error", "gzip: invalid header"),
    "wrong token": (401, "unauthorized", "unauthorized access"),
    "unknown bucket": (404, "not found", 'bucket "{bucket}" not found'),
    "wrong precision": (
        400,
        "invalid",
        "invalid precision; valid precision units are ns, us, ms, s",
    ),
}
"""What → (status, code, message). A parse error writes nothing of the request, a partial write
everything else of it."""

TOKEN, ORG, BUCKET = "a-token", "city", "telemetry"

_SPLIT = re.compile(r"(?<!\\),")
_UNQUOTED = re.compile(r"\\([,= ])")
_FIELD = re.compile(
    r'(?P<key>(?:\\.|[^,=\s])+)=(?P<value>"(?:\\.|[^"\\])*"|[^,\s]+)(?:,|$)', re.DOTALL
)
_LINE = re.compile(
    r'^(?P<key>(?:\\.|[^ \\])+) (?P<fields>(?:"(?:\\.|[^"\\])*"|[^ "])+) (?P<time>-?\d+)$',
    re.DOTALL,
)
_JSON = "application/json"
_INT64, _UINT64 = range(-(2**63), 2**63), range(2**64)


class _ParseError(ValueError):
    pass


@dataclass
class ContractServer(Server):
    """The server in a thread of its own; ``script`` answers requests before the rules do."""

    port: int = field(default_factory=free_port)
    script: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    requests: int = 0
    points: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    types: dict[tuple[str, str], str] = field(default_factory=dict)
    poison: Callable[[str], bool] = lambda _body: False
    poison_status: int = 500
    oldest_ms: int = -(2**62)
    kept_s: int | None = 0
    """How long the bucket keeps points; 0: for ever; None: the token may not read it."""
    unheeded: int = 0
    """So many orders to delete are taken, and nothing is deleted yet."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve in a thread and wait until it listens."""
        routes = [
            Route("/api/v2/write", self._guarded(self._write), methods=["POST"]),
            Route("/api/v2/query", self._guarded(self._query), methods=["POST"]),
            Route("/api/v2/delete", self._guarded(self._delete), methods=["POST"]),
            Route("/api/v2/buckets", self._guarded(self._buckets), methods=["GET"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), "127.0.0.1", self.port, log_level="error", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()))
        self._thread.start()
        wait_for_port(self.port)

    def stop(self) -> None:
        """End the thread."""
        self._server.should_exit = True
        self._thread.join(timeout=10)

    def _guarded(
        self, work: Callable[[Request, str], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            self.requests += 1
            body = await request.body()
            if self.script:
                status, headers = self.script.pop(0)
                text = json.dumps({"code": "scripted", "message": "as the test asked"})
                return Response(text, status, headers, "application/json")
            if request.headers.get("authorization") != f"Token {TOKEN}":
                return _answer("wrong token")
            if request.headers.get("content-encoding") == "gzip":
                try:
                    body = gzip.decompress(body)
                except OSError:
                    return _answer("corrupt gzip")
            return await work(request, body.decode())

        return endpoint

    async def _write(self, request: Request, body: str) -> Response:
        if request.query_params.get("bucket") != BUCKET:
            return _answer("unknown bucket", bucket=request.query_params.get("bucket", ""))
        if request.query_params.get("precision") != "ms":
            return _answer("wrong precision")
        if self.poison(body):
            return Response('{"message": "poison"}', self.poison_status)
        try:
            parsed = [_parse(line) for line in _lines(body)]
        except _ParseError as error:
            line, why = error.args
            return _answer("parse error", line=line[:100], why=why)
        dropped = list(filter(None, (self._keep(*one) for one in parsed)))
        if not dropped:
            return Response(status_code=204)
        what, details = dropped[0]
        return _answer(what, dropped=sum(reason == what for reason, _ in dropped), **details)

    def _keep(
        self, key: str, fields: dict[str, Any], time: int
    ) -> tuple[str, dict[str, str]] | None:
        """Take a point; why not, if it is dropped."""
        if time < self.oldest_ms:
            return "beyond retention", {}
        measurement = _SPLIT.split(key)[0]
        if "time" in fields:
            return "field time", {"measurement": measurement}
        for name, value in fields.items():
            kind = type(value).__name__
            known = self.types.setdefault((measurement, name), kind)
            if known != kind:
                names = {"field": name, "measurement": measurement}
                return "type conflict", {**names, "new": kind, "old": known}
        self.points.setdefault((key, time), {}).update(fields)
        return None

    async def _query(self, _request: Request, body: str) -> Response:
        flux = json.loads(body)["query"]
        if f'bucket: "{BUCKET}"' not in flux:
            return _answer("unknown bucket", bucket="?")
        rows = sorted(self._chosen(flux), key=lambda row: row[2])
        by_series = '|> group(columns: ["_measurement"' in flux
        if "|> count()" in flux:
            return _counts(Counter(key if by_series else "" for key, *_ in rows))
        if by_series and "|> limit(n: 1)" in flux:
            in_order = rows if "desc: true" in flux else rows[::-1]
            return _times({key: time for key, _, time, _ in in_order})
        if "|> window(" in flux:
            return _points(self._windowed(flux, rows))
        if "|> last()" in flux:
            return _points(
                list({(key, name): row for row in rows for key, name in [row[:2]]}.values())
            )
        return _points([])

    async def _delete(self, _request: Request, body: str) -> Response:
        """Delete by one tag, as the store asks for it."""
        if self.unheeded:
            self.unheeded -= 1
            return Response(status_code=204)
        asked = json.loads(body)
        match = re.fullmatch(r'(\w+)="([^"]*)"', asked["predicate"])
        assert match is not None
        start, stop = _moment(asked["start"]), _moment(asked["stop"])
        self.points = {
            (key, time): fields
            for (key, time), fields in self.points.items()
            if _columns(key).get(match[1]) != match[2] or not start <= time <= stop
        }
        return Response(status_code=204)

    async def _buckets(self, request: Request, _body: str) -> Response:
        """Buckets of a name that the token may read; of one for ever there is no rule."""
        seconds = self.kept_s
        rules = [{"type": "expire", "everySeconds": seconds}] if seconds else []
        name = request.query_params.get("name")
        known = name == BUCKET and seconds is not None
        found = [{"id": "0", "type": "user", "name": BUCKET, "retentionRules": rules}]
        return Response(json.dumps({"buckets": found if known else []}), 200, {}, _JSON)

    def _chosen(self, flux: str) -> list[tuple[str, str, int, Any]]:
        start, stop = _range(flux)
        wanted: dict[str, set[str]] = {}
        for column, text in re.findall(r'r\.(\w+) == "((?:\\.|[^"\\])*)"', flux):
            wanted.setdefault(column, set()).add(re.sub(r"\\(.)", r"\1", text))
        chosen = []
        for (key, time), fields in self.points.items():
            columns = _columns(key)
            for name, value in fields.items():
                row = columns | {"_field": name}
                fits = all(row.get(column) in texts for column, texts in wanted.items())
                if fits and start <= time < stop and _fits(flux, name, value):
                    chosen.append((key, name, time, value))
        return chosen

    def _windowed(
        self, flux: str, rows: list[tuple[str, str, int, Any]]
    ) -> list[tuple[str, str, int, Any]]:
        every = re.search(r"every: (\d+)ms", flux)
        assert every is not None
        return list({(row[1], row[2] // int(every[1])): row for row in rows}.values())


def _columns(key: str) -> dict[str, str]:
    """Measurement and tags of a series."""
    measurement, *tags = _SPLIT.split(key)
    pairs = (tag.split("=", 1) for tag in tags)
    return {"_measurement": measurement} | {
        name: _UNQUOTED.sub(r"\1", text) for name, text in pairs
    }


def _fits(flux: str, name: str, value: Any) -> bool:
    """Whether a value passes the filters that are no plain text: field patterns and numbers."""
    patterns = re.findall(r"r\._field (=~|!~) /([^/]*)/", flux)
    numbers = [int(number) for number in re.findall(r"r\._value == (\d+)", flux)]
    others = [int(number) for number in re.findall(r"r\._value != (\d+)", flux)]
    return (
        all(bool(re.search(text, name)) == (how == "=~") for how, text in patterns)
        and (not numbers or value in numbers)
        and value not in others
    )


def _lines(body: str) -> list[str]:
    """Newlines inside quotes belong to the string."""
    lines, start, quoted = [], 0, False
    at = 0
    while at < len(body):
        if body[at] == "\\":
            at += 1
        elif body[at] == '"':
            quoted = not quoted
        elif body[at] == "\n" and not quoted:
            lines.append(body[start:at])
            start = at + 1
        at += 1
    return [line for line in [*lines, body[start:]] if line]


def _parse(line: str) -> tuple[str, dict[str, Any], int]:
    match = _LINE.match(line)
    if match is None:
        raise _ParseError(line, "invalid line")
    for tag in _SPLIT.split(match["key"])[1:]:
        name, _, value = tag.partition("=")
        bare = re.search(r"(?<!\\)=", value)  # a backslash before the comma has joined two tags
        if not value or bare or value.endswith("\\") or name == "time":
            raise _ParseError(line, f"bad tag {tag}")
    fields, at = {}, 0
    while at < len(match["fields"]):
        found = _FIELD.match(match["fields"], at)
        if found is None:
            raise _ParseError(line, "invalid field format")
        fields[found["key"]] = _value(line, found["value"])
        at = found.end()
    return match["key"], fields, int(match["time"])


def _value(line: str, text: str) -> Any:
    if text[0] == '"':
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if text in ("t", "T", "true", "f", "F", "false"):
        return text[0] in "tT"
    if text[-1] in "iu":
        number = int(text[:-1]) if re.fullmatch(r"-?\d+[iu]", text) else None
        if number is None or number not in (_INT64 if text[-1] == "i" else _UINT64):
            raise _ParseError(line, f"bad integer {text}")
        return number
    if not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text):
        raise _ParseError(line, f"invalid number {text}")
    return float(text)


def _range(flux: str) -> tuple[int, int]:
    stated = re.search(r"range\(start: ([^,)]+)(?:, stop: ([^)]+))?\)", flux)
    assert stated is not None
    start = _moment(stated[1]) if stated[1][0].isdigit() and "T" in stated[1] else -(2**62)
    return start, _moment(stated[2]) if stated[2] else 2**62


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def _answer(what: str, **details: object) -> Response:
    status, code, message = ANSWERS[what]
    body = json.dumps({"code": code, "message": message.format(**details)})
    return Response(body, status, media_type="application/json")


_FLUX_TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}


def _points(rows: list[tuple[str, str, int, Any]]) -> Response:
    """One annotated table a row, since fields of different types cannot share one."""
    parts = []
    for _, name, time, value in rows:
        moment = datetime.fromtimestamp(time // 1000, UTC).replace(microsecond=time % 1000 * 1000)
        stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        types = [("dateTime:RFC3339", "_time"), ("string", "_field")]
        kind = _FLUX_TYPES[type(value)]
        shown = str(value).lower() if kind == "boolean" else value
        parts.append(_table([*types, (kind, "_value")], [[stamp, name, shown]]))
    return Response("\r\n".join(parts), media_type="text/csv")


def _counts(numbers: Counter[str]) -> Response:
    """One table a series; one without its columns where all are counted together."""
    return _by_series("long", "_value", numbers)


def _times(times: dict[str, int]) -> Response:
    moments = {
        key: datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds")
        for key, time in times.items()
    }
    return _by_series("dateTime:RFC3339", "_time", moments)


def _by_series(kind: str, name: str, cells: Mapping[str, object]) -> Response:
    parts = []
    for key, cell in cells.items():
        columns = _columns(key) if key else {}
        types = [("string", column) for column in columns]
        parts.append(_table([*types, (kind, name)], [[*columns.values(), cell]]))
    return Response("\r\n".join(parts), media_type="text/csv")


def _table(columns: list[tuple[str, str]], rows: list[list[Any]]) -> str:
    def quoted(cell: Any) -> str:
        text = str(cell)
        return '"' + text.replace('"', '""') + '"' if re.search(r'[",\r\n]', text) else text

    head = [
        "#datatype,string,long," + ",".join(kind for kind, _ in columns),
        "#group,false,false," + ",".join("false" for _ in columns),
        "#default,_result,," + "," * (len(columns) - 1),
        ",result,table," + ",".join(name for _, name in columns),
    ]
    return "\r\n".join(head + [",,0," + ",".join(map(quoted, row)) for row in rows]) + "\r\n"
