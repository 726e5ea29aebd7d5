"""Client of a node that speaks the SNMS interface (enterprise or secondary node).

::

    NodeError
    ├── NodeUnavailableError   not reached, nothing has happened: try again later
    ├── OutcomeUnknownError    504, time-out, a fault inside the node or a broken answer: it may
    │                          have happened; read back
    ├── NodeLoginError         the node refuses the credentials, or what they may do
    └── NodeRefusedError       the node says no, with its own words
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import TracebackType
from typing import Any, Self

import httpx

from gateway.identifier.codes.handle import HandleError
from gateway.identifier.password import login_password
from gateway.identifier.record import Record, read_record
from gateway.identifier.template import Item

OK = 1
NOT_LOGGED_IN = -1
REFUSED = -2
NO_PERMISSION = -3
_SUCCESS = frozenset({"成功", "操作成功", "注册成功", "更新成功", "success", "ok"})
_ABSENT = ("不存在", "没有找到")
_BUSY = "系统繁忙"


class NodeError(Exception):
    """Base of what the client raises."""


class NodeUnavailableError(NodeError):
    """The node was not reached or is overloaded; nothing has happened there."""


class OutcomeUnknownError(NodeError):
    """The request may or may not have been carried out."""


class NodeLoginError(NodeError):
    """The node refuses user name, secret, or what this user asks for."""


class NodeRefusedError(NodeError):
    """The node refuses a request; the text is its own message."""


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one identifier of a batch.

    Attributes:
        handle: as it was sent.
        ok: the node confirms it.
        message: the node's own words.
    """

    handle: str
    ok: bool
    message: str

    @property
    def passing(self) -> bool:
        """A refusal that says nothing of the identifier: ask again."""
        return not self.message or _BUSY in self.message


class SnmsClient:
    """One node. Logs in when needed; at most one login at a time."""

    def __init__(
        self,
        url: str,
        username: str,
        secret: Callable[[], str],
        *,
        today: Callable[[], date],
        timeout_s: float,
    ) -> None:
        self._username = username
        self._secret = secret
        self._today = today
        self._token = ""
        self._login_lock = asyncio.Lock()
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout_s, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def login(self) -> None:
        """Get a token; the day before and after are tried because the node has its own clock.

        Raises:
            NodeLoginError: none of the three days is accepted.
            NodeUnavailableError: the node is not reached.
        """
        message = ""
        for shift in (0, -1, 1):
            day = self._today() + timedelta(days=shift)
            body = {"username": self._username, "password": login_password(self._secret(), day)}
            answer = await self._send("POST", "/identity/token/v1", json=body)
            if answer.get("status") == OK:
                self._token = _token_of(answer)
                return
            message = str(answer.get("message", ""))
        raise NodeLoginError(
            f"node {self._http.base_url} refuses user {self._username}: {message}; "
            "check user name, secret and the clock"
        )

    async def detail(self, handle: str) -> Record | None:
        """The record of an identifier; None if the node does not have it."""
        try:
            data = await self._call("GET", "/identityv2/data/detail", params={"handle": handle})
        except NodeRefusedError as refusal:
            if any(word in str(refusal) for word in _ABSENT):
                return None
            raise
        try:
            return read_record(data)
        except HandleError as error:
            raise OutcomeUnknownError(f"reading {handle}: {error}") from error

    async def register(self, record: Record) -> None:
        """Register one identifier."""
        await self._call("POST", "/identityv2/data", json=record.body())

    async def update(self, record: Record) -> None:
        """Replace the metadata of one identifier."""
        await self._call("PUT", "/identityv2/data", json=record.body())

    async def delete(self, handle: str) -> None:
        """Delete one identifier (the interface wants a body with DELETE)."""
        await self._call("DELETE", "/identityv2/data", json={"handle": handle})

    async def batch_create(self, records: Sequence[Record]) -> list[ItemResult]:
        """Register at most 2,000 identifiers; each has its own result."""
        return await self._batch("POST", "/identityv2/data/batchCreate", records)

    async def batch_update(self, records: Sequence[Record]) -> list[ItemResult]:
        """Replace the metadata of at most 2,000 identifiers; each has its own result."""
        return await self._batch("PUT", "/identityv2/data/batchUpdate", records)

    async def template(self, prefix: str, version: str) -> dict[str, Any] | None:
        """A template as the node holds it; None if there is none."""
        query = {"prefix": prefix, "version": version}
        try:
            data = await self._call("GET", "/snms/api/v5/template", params=query)
        except NodeRefusedError as refusal:
            if any(word in str(refusal) for word in _ABSENT):
                return None
            raise
        return data if isinstance(data, dict) else None

    async def create_template(self, prefix: str, version: str, items: Sequence[Item]) -> None:
        """Create a template of texts."""
        await self._call(
            "POST", "/snms/api/v5/template", json=template_body(prefix, version, items)
        )

    async def _batch(self, method: str, path: str, records: Sequence[Record]) -> list[ItemResult]:
        data = await self._call(method, path, json=[record.body() for record in records])
        if not isinstance(data, list):
            raise OutcomeUnknownError(f"{method} {path}: the answer lists no results")
        return [_item(one) for one in data if isinstance(one, dict)]

    async def _call(self, method: str, path: str, **request: Any) -> Any:
        """One authorised request; logs in once more when the token is refused."""
        for _ in ("with the token as it is", "after a new login"):
            token = await self._valid_token()
            header = {"Authorization": f"Bearer {token}"}
            answer = await self._send(method, path, headers=header, **request)
            if answer.get("status") != NOT_LOGGED_IN:
                return _data_of(answer, f"{method} {path}")
            if self._token == token:  # else another request has logged in anew meanwhile
                self._token = ""
        raise NodeUnavailableError(f"{method} {path}: {answer.get('message')} (after a new login)")

    async def _valid_token(self) -> str:
        async with self._login_lock:
            if not self._token:
                await self.login()
            return self._token

    async def _send(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """One request; an HTTP refusal of the token reads like the envelope's."""
        what = f"{method} {self._http.base_url}{path.lstrip('/')}"
        try:
            async with asyncio.timeout(self._timeout_s):  # httpx limits each piece, not the whole
                response = await self._http.request(method, path, **request)
        except TimeoutError as error:
            raise OutcomeUnknownError(f"{what}: no answer in {self._timeout_s:g} s") from error
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NodeUnavailableError(f"{what}: not reached: {error}") from error
        except httpx.HTTPError as error:
            raise OutcomeUnknownError(f"{what}: no answer: {error!r}") from error
        if response.status_code == httpx.codes.UNAUTHORIZED:
            return {"status": NOT_LOGGED_IN, "message": "401"}
        if response.status_code in _OVERLOADED:
            raise NodeUnavailableError(f"{what}: HTTP {response.status_code}")
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise OutcomeUnknownError(f"{what}: HTTP {response.status_code}")
        return _envelope(response, what)


# With these a server says that it has not begun; every other 5xx may come after the work is done.
_OVERLOADED = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE})


def _envelope(response: httpx.Response, what: str) -> dict[str, Any]:
    where = f"{what}: HTTP {response.status_code}"
    try:
        answer = response.json()
    except ValueError as error:
        raise OutcomeUnknownError(f"{where}: the answer is no JSON") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("status"), int):
        raise OutcomeUnknownError(f"{where}: the answer has no status")
    return answer


def _token_of(answer: dict[str, Any]) -> str:
    data = answer.get("data")
    token = data.get("token") if isinstance(data, dict) else None
    if not isinstance(token, str) or not token:
        raise OutcomeUnknownError("the node accepts the login, but gives no token")
    return token


def _data_of(answer: dict[str, Any], what: str) -> Any:
    """The data of a successful answer; only 1 is success, −4 is a fault inside the node."""
    status = answer["status"]
    if status == OK:
        return answer.get("data")
    text = f"{what}: {answer.get('message')} (status {status})"
    if status == NO_PERMISSION:
        raise NodeLoginError(f"{text}; the node's operator must permit it")
    raise NodeRefusedError(text) if status == REFUSED else OutcomeUnknownError(text)


def _item(one: dict[str, Any]) -> ItemResult:
    message = str(one.get("msg", ""))
    return ItemResult(str(one.get("handle", "")), message.casefold() in _SUCCESS, message)


def template_body(prefix: str, version: str, items: Sequence[Item]) -> dict[str, Any]:
    """The JSON of a template; the codes are GB/T 4754's for manufacturing, the door C."""
    return {
        "prefix": prefix,
        "version": version,
        "description": "工业设备",
        "industryCategory": "C",
        "industrySpecific": "34",
        "industryTrade": "349",
        "industrySubclass": "3499",
        "type": 2,
        "items": [
            {
                "name": item.name,
                "idType": item.type,
                "idIndex": item.index,
                "required": item.required,
                "state": 1,
                "metadata": {
                    "type": "string",
                    "minLength": item.minimum,
                    "maxLength": item.maximum,
                },
            }
            for item in items
        ],
    }
