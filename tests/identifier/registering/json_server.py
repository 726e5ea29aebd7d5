"""A Handle server's JSON interface, in small, from its description; and an IDHub node's.

Both are written apart from the clients, and answer as the published examples do.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

Json = dict[str, Any]
_STATUSES = {1: 200, 100: 404, 101: 409, 102: 400, 200: 200, 400: 403, 402: 401, 403: 403}


def is_signed(key: RSAPublicKey | None, signature: bytes, over: bytes) -> bool:
    try:
        if key is not None:
            key.verify(signature, over, PKCS1v15(), SHA256())
            return True
    except InvalidSignature:
        pass
    return False


@dataclass
class HandleJsonServer:
    """Handles in memory, with one administrator who has a secret and a public key."""

    identity: str
    secret: str
    public_key: RSAPublicKey | None = None
    takes_certificates: bool = False
    held: dict[str, dict[int, Json]] = field(default_factory=dict)
    sessions: dict[str, tuple[bytes, bool]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def expire(self) -> None:
        """All sessions have ended."""
        self.sessions.clear()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(f"{request.method} {scope['path']}?{request.url.query}")
        await (await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path: str = request.scope["path"]
        if path.startswith("/api/sessions"):
            return self._session(request)
        handle = path.removeprefix("/api/handles/")
        known = next((one for one in self.held if one.upper() == handle.upper()), handle)
        if request.method == "GET":
            return self._get(request, known)
        if not self._is_admin(request):
            return self._rc(402, handle, {"WWW-Authenticate": 'Basic realm="handle"'})
        if request.method == "DELETE":
            return self._delete(request, known)
        return self._put(request, known, (await request.json())["values"])

    def _rc(self, code: int, handle: str, headers: dict[str, str] | None = None) -> Response:
        return JSONResponse(
            {"responseCode": code, "handle": handle}, _STATUSES[code], headers=headers
        )

    def _get(self, request: Request, handle: str) -> Response:
        if handle not in self.held:
            return self._rc(100, handle)
        seen = [
            value
            for value in self.held[handle].values()
            if value.get("permissions", "1110")[2] == "1" or self._is_admin(request)
        ]
        if not seen:
            return self._rc(200, handle)
        return JSONResponse({"responseCode": 1, "handle": handle, "values": seen})

    def _put(self, request: Request, handle: str, values: list[Json]) -> Response:
        query = request.query_params
        given = {value["index"]: value for value in values}
        if "index" in query:
            if handle not in self.held:
                return self._rc(100, handle)
            if not self._administers(handle):
                return self._rc(400, handle)
            assert query["index"] == "various"
            self.held[handle].update(given)
            return self._rc(1, handle)
        if handle in self.held and query.get("overwrite") == "false":
            return self._rc(101, handle)
        self.held[handle] = given
        return JSONResponse({"responseCode": 1, "handle": handle}, 201)

    def _delete(self, request: Request, handle: str) -> Response:
        indexes = request.query_params.getlist("index")
        if handle not in self.held:
            return self._rc(100, handle)
        if not self._administers(handle):
            return self._rc(400, handle)
        for index in indexes:
            self.held[handle].pop(int(index), None)
        if not indexes:
            del self.held[handle]
        return self._rc(1, handle)

    def _administers(self, handle: str) -> bool:
        admins = [one for one in self.held[handle].values() if one["type"] == "HS_ADMIN"]
        held = [one["data"]["value"] for one in admins]
        return any(f"{one['index']}:{one['handle']}" == self.identity for one in held)

    def _is_admin(self, request: Request) -> bool:
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            user, _, secret = base64.b64decode(shown).decode().partition(":")
            return unquote(user) == self.identity and secret == self.secret
        fields = _fields(shown)
        if fields.get("clientCert") == "true":
            return self.takes_certificates
        return self.sessions.get(fields.get("sessionId", ""), (b"", False))[1]

    def _session(self, request: Request) -> Response:
        if request.method == "POST":
            name, nonce = f"node0{secrets.token_hex(8)}.node0", secrets.token_bytes(16)
            self.sessions[name] = nonce, False
            return JSONResponse({"sessionId": name, "nonce": base64.b64encode(nonce).decode()}, 201)
        fields = _fields(request.headers["authorization"].partition(" ")[2])
        name = fields["sessionId"]
        nonce = self.sessions[name][0]
        proved = unquote(fields["id"]) == self.identity and self._is_proved(fields, nonce)
        self.sessions[name] = nonce, proved
        answer = {"sessionId": name, "authenticated": proved}
        if not proved:
            return JSONResponse(answer | {"errors": ["Identity not verified"]}, 401)
        return JSONResponse(answer | {"id": self.identity})

    def _is_proved(self, fields: dict[str, str], nonce: bytes) -> bool:
        over = nonce + base64.b64decode(fields["cnonce"])
        signature = base64.b64decode(fields["signature"])
        if fields["type"] == "HS_PUBKEY":
            return fields["alg"] == "SHA256" and is_signed(self.public_key, signature, over)
        assert (fields["type"], fields["alg"]) == ("HS_SECKEY", "PBKDF2WithHmacSHA1")
        rounds, octets = int(fields["iterations"]), int(fields["length"]) // 8
        salt = base64.b64decode(fields["salt"])
        key = hashlib.pbkdf2_hmac("sha1", self.secret.encode(), salt, rounds, octets)
        return hmac.compare_digest(hmac.digest(key, over, "sha1"), signature)


def _fields(shown: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in shown.split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


@dataclass
class IdhubServer:
    """Meta objects and identifiers in memory, with one application."""

    application: str
    public_key: RSAPublicKey
    held: dict[str, Json] = field(default_factory=dict)
    metas: dict[str, Json] = field(default_factory=dict)
    challenges: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def expire(self) -> None:
        """All tokens have ended."""
        self.tokens.clear()

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.asked.append(f"{request.method} {scope['path']}?{request.url.query}")
        body = await request.body()
        written = await request.json() if body else {}
        await JSONResponse(self._answer(request, written))(scope, receive, send)

    def _answer(self, request: Request, written: Any) -> Json:
        path, query = request.scope["path"], request.query_params
        if path == "/api/v1/doip/public/challenge":
            return self._challenge(query["handle"])
        if path == "/api/v1/doip/public/verify-response":
            return self._verified(written)
        if request.headers.get("authorization", "")[7:] not in self.tokens:
            return {"code": 101, "message": "无效的token"}
        if path == "/api/v1/doip":
            return self._operated(query["operationId"], query["targetId"], written)
        return self._meta(request.method, path.removeprefix("/api/v1/open/meta/"), query, written)

    def _challenge(self, handle: str) -> Json:
        if handle != self.application:
            return {"code": 40508, "message": "标识格式异常"}
        self.challenges[handle] = str(1000 + secrets.randbelow(9000))
        return {"code": 1, "message": "operation was", "data": self.challenges[handle]}

    def _verified(self, written: Json) -> Json:
        over = self.challenges.pop(written["handle"], "")
        if not is_signed(self.public_key, base64.b64decode(written["signature"]), over.encode()):
            return {"code": 102, "message": "客户端认证失败"}
        token = f"ey.{secrets.token_urlsafe()}"
        self.tokens.add(token)
        return {"code": 1, "message": "operation was", "data": {"token": token}}

    def _operated(self, operation: str, asked: str, written: Json) -> Json:
        handle = next((one for one in self.held if one.upper() == asked.upper()), asked)
        if operation == "0.DOIP/Op.Create":
            return self._created(handle, written)
        if handle not in self.held:
            return {"code": 104, "message": "标识对象不存在"}
        if operation == "0.DOIP/Op.Retrieve":
            return {"code": 1, "message": "成功", "data": self._instance(handle)}
        if operation == "0.DOIP/Op.Delete":
            del self.held[handle]
            return {"code": 10000, "message": "成功"}
        assert operation == "0.DOIP/Op.Update"
        return self._written(handle, written, self.held[handle]["content"])

    def _created(self, handle: str, written: Json) -> Json:
        if handle in self.held:
            return {"code": 105, "message": "标识对象已存在"}
        return self._written(handle, written, {})

    def _written(self, handle: str, written: Json, before: Json) -> Json:
        meta = self.metas.get(written["type"])
        if meta is None:
            return {"code": 604, "message": "元数据不存在"}
        if meta["metaState"] != 1:
            return {"code": 600, "message": "元数据未发布"}
        content = written["attributes"]["content"]
        items = {one["englishName"]: one for one in meta["itemVOS"]}
        for name in content:
            if name not in items:
                return {"code": 603, "message": f"实体{name}不属于该元数据"}
        for name, item in items.items():
            if item["required"] and not content.get(name):
                return {"code": 601, "message": "元数据输入项错误"}
        # "不能删除属性,只能修改已存在的标识属性值": what is not sent stays
        self.held[handle] = {"type": written["type"], "content": before | content}
        return {"code": 10000, "message": "成功", "data": written}

    def _instance(self, handle: str) -> Json:
        held = self.held[handle]
        items = {one["englishName"]: one for one in self.metas[held["type"]]["itemVOS"]}
        elements = [
            {
                "index": items[name]["itemIndex"],
                "type": name,
                "name": items[name]["chineseName"],
                "dataType": 1,
                "value": text,
            }
            for name, text in held["content"].items()
        ]
        told = {"id": handle, "type": held["type"]}
        return told | {"attributes": told | {"elements": elements}}

    def _meta(self, method: str, action: str, query: Any, written: Json) -> Json:
        if (method, action) == ("GET", "info"):
            meta = self.metas.get(query["metaHandle"])
            if meta is None:
                return {"code": 604, "message": "元数据不存在"}
            return {"code": 1, "message": "成功", "data": meta}
        if (method, action) == ("PUT", "publish-or-withdraw"):
            return self._published(written)
        handle = written["metaHandle"]
        if (method, action) == ("POST", "create"):
            if handle in self.metas:
                return {"code": 105, "message": "标识对象已存在"}
            items = written["metaItemCreateDTOS"]
            self.metas[handle] = {"metaState": 0, **written, "itemVOS": _items(items)}
            return {"code": 1, "message": "成功", "data": {"metaHandle": handle}}
        assert (method, action) == ("PUT", "update-item")
        self.metas[handle] |= {"metaState": 0, "itemVOS": _items(written["metaItemDTOS"])}
        return {"code": 10000, "message": "成功"}

    def _published(self, written: Json) -> Json:
        assert written["opType"] == "publish"
        states = []
        for handle in written["metaHandleList"]:
            self.metas[handle]["metaState"] = 1
            states.append({"metaHandle": handle, "state": "success", "reason": ""})
        return {"code": 10000, "message": "成功", "data": states}


def _items(written: list[Json]) -> list[Json]:
    """As they are told: with an index, in the order in which they came if they have none."""
    return [
        {
            "itemIndex": 2000 + at,
            **{name: held for name, held in one.items() if name != "itemSchemaCreateDTO"},
            "itemSchemaVO": one["itemSchemaCreateDTO"],
        }
        for at, one in enumerate(written)
    ]
