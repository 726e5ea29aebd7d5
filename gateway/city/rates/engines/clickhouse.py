"""ClickHouse: one server, or a cluster of them, over HTTP."""

import ssl
from collections.abc import Iterator, Mapping, Sequence

import httpx
import numpy as np

from edge_config.models.base import ClientTls, SecretUnavailableError
from edge_config.models.counting import ClickHouseEngine
from gateway.city.rates.engines.engine import EngineError
from gateway.city.rates.engines.gathering import Columns
from gateway.city.rates.engines.layout import FLAG, MASK, NUMBER, ORDER, TABLES, USCC, columns_of

_BINARY = {NUMBER: "<i8", MASK: "<i4", FLAG: "i1", USCC: "S18"}
"""RowBinary of each type is that of NumPy, packed."""
_SETTINGS = {
    "default_format": "JSONCompact",
    "output_format_json_quote_64bit_integers": "0",
    "wait_end_of_query": "1",  # an error in the midst of an answer is an error of the request
    "cancel_http_readonly_queries_on_client_close": "1",
    "distributed_foreground_insert": "1",  # rows are there when the server says so
}
_LONG = 200_000
"""Characters of a question from which on a server has to be told that it may be so long."""
_WHAT_TO_DO = {
    "516": "user name or password are wrong; see rates.engine.username and password",
    "192": "user name or password are wrong; see rates.engine.username and password",
    "81": "there is no such database; create it, or correct rates.engine.database",
    "497": "its user may not do that; grant it SELECT, INSERT, ALTER DELETE and CREATE TABLE",
    "60": "there are no tables yet; run: qulink rates engine send",
    "701": "there is no such cluster; correct rates.engine.cluster",
    "159": "it took too long; look at its load, or raise rates.engine.timeout_ms",
    "241": "it has too little memory for that",
}
"""By ClickHouse's number of an error."""


def definitions_of(cluster: str | None) -> Iterator[str]:
    """The statements that make the tables.

    Args:
        cluster: its name; on each of its shards are tables ``…_local``, and the tables that are
            asked are distributed over them, by machine. None: one server.
    """
    for table in TABLES:
        columns, order = columns_of(table, uscc="FixedString(18)"), ", ".join(ORDER[table])
        kept = f"ENGINE = MergeTree PARTITION BY copy ORDER BY ({order})"
        if cluster is None:
            yield f"CREATE TABLE IF NOT EXISTS {table} ({columns}) {kept}"
            continue
        by = "machine" if table == "machine_month" else "copy"
        over = f"ENGINE = Distributed({cluster}, currentDatabase(), {table}_local, {by})"
        for name, engine in ((f"{table}_local", kept), (table, over)):
            yield f"CREATE TABLE IF NOT EXISTS {name} ON CLUSTER {cluster} ({columns}) {engine}"


class ClickHouse:
    """A ClickHouse server; see :class:`gateway.city.rates.engines.store.Store`.

    Args:
        config: address, database and credentials; the secret is read here.

    Raises:
        EngineError: the secret cannot be read.
    """

    def __init__(self, config: ClickHouseEngine) -> None:
        self._config = config
        self.where = f"ClickHouse {config.url}, database {config.database}"
        headers = {"X-ClickHouse-User": config.username, "X-ClickHouse-Database": config.database}
        try:
            if config.password is not None:
                headers["X-ClickHouse-Key"] = config.password.reveal()
        except SecretUnavailableError as error:
            raise EngineError(f"cannot log in to {self.where}: {error}") from error
        self._client = httpx.Client(
            base_url=config.url,
            headers=headers,
            timeout=config.timeout_ms / 1000,
            trust_env=False,
            verify=_trusted(config.tls),
        )

    def prepare(self) -> None:
        """Make the tables, on all servers of the cluster; not for a user who need not."""
        if self.ask("EXISTS TABLE month_copy")[0][0]:  # the last one that is made
            return
        for statement in definitions_of(self._config.cluster):
            self._post("make the tables of", statement.encode())

    def append(self, table: str, columns: Columns) -> None:
        """Add rows."""
        layout = TABLES[table]
        rows = np.empty(
            len(next(iter(columns.values()))), [(name, _BINARY[layout[name]]) for name in columns]
        )
        for name, values in columns.items():
            rows[name] = values
        query = f"INSERT INTO {table} ({', '.join(columns)}) FORMAT RowBinary"
        self._post("write to", rows.tobytes(), {"query": query})

    def ask(self, text: str) -> Sequence[Sequence[int | str]]:
        """Answer a question."""
        longer = {"max_query_size": str(2 * len(text))} if len(text) > _LONG else {}
        rows: Sequence[Sequence[int | str]] = self._post("ask", text.encode(), longer).json()[
            "data"
        ]
        return rows

    def drop(self, copy: int) -> None:
        """Take a copy away; first what says that it is complete."""
        cluster = self._config.cluster
        on = f"_local ON CLUSTER {cluster}" if cluster else ""
        for table in reversed(list(TABLES)):
            self._post("tidy up", f"ALTER TABLE {table}{on} DROP PARTITION {copy:d}".encode())

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _post(
        self, what: str, body: bytes, params: Mapping[str, str] = _SETTINGS
    ) -> httpx.Response:
        trying = f"cannot {what} {self.where}"
        try:
            reply = self._client.post("/", content=body, params={**_SETTINGS, **params})
        except httpx.TimeoutException as error:
            within = f"no answer within {self._config.timeout_ms} ms"
            raise EngineError(f"{trying}: {within}; {_WHAT_TO_DO['159']}") from error
        except (httpx.HTTPError, OSError) as error:
            raise EngineError(
                f"{trying}: {error or type(error).__name__}; start it, or correct rates.engine.url"
            ) from error
        if reply.is_success:
            return reply
        code = reply.headers.get("X-ClickHouse-Exception-Code", "")
        said = _WHAT_TO_DO.get(code, reply.text.strip().partition("\n")[0][:300])
        raise EngineError(f"{trying}: {said or f'HTTP {reply.status_code}'}")


def _trusted(tls: ClientTls | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_file if tls else None)
    if tls is not None and tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context
