"""The OpenAPI 3.1 document, from the operations that answer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from gateway.city.console.api.declaring import BASE, Asked, Operation
from gateway.web.access.problems import MEDIA_TYPE
from gateway.web.i18n import text

ADDRESS = f"{BASE}/openapi.json"
_REFERENCES = "#/components/schemas/{model}"
_PROBLEM = {
    "description": "A refusal: RFC 9457",
    "type": "object",
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "for programs: it stays"},
        "detail": {"type": "string", "description": "what was refused, and what to do"},
    },
    "required": ["type", "title", "status", "code", "detail"],
}
_REFUSALS = {
    "400": "a parameter is wrong; the detail says which",
    "401": "no token or session, or one that holds no more",
    "403": "not for the role of who asks, or not for the token",
    "404": "there is no such thing, or it is not for who asks",
    "429": "too many requests, or too many wrong tokens; see Retry-After",
    "503": "the database is away, or figures are being computed; see Retry-After",
}


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document."""
    answers = [(one.answer, "serialization") for one in operations]
    refs, found = models_json_schema(answers, ref_template=_REFERENCES)  # type: ignore[arg-type]
    schemas = {"Problem": _PROBLEM, **found.get("$defs", {})}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "qulink",
            "version": f"1 ({version('qulink')})",
            "summary": text("en", "api.title"),
            "description": text("en", "api.note"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": {BASE + one.path: {"get": _operation(one, refs)} for one in operations},
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "qulink_session"},
            },
        },
    }


def places(path: str) -> list[str]:
    """Names in braces of a path."""
    return re.findall(r"\{(\w+)\}", path)


def _operation(one: Operation, refs: Mapping[Any, Mapping[str, Any]]) -> dict[str, Any]:
    answer = {"schema": refs[one.answer, "serialization"]}
    problem = {MEDIA_TYPE: {"schema": {"$ref": _REFERENCES.format(model="Problem")}}}
    refusals = {
        status: {"description": words, "content": problem} for status, words in _REFUSALS.items()
    }
    return {
        "operationId": one.name,
        "summary": text("en", f"api.operation.{one.name}"),
        "description": "Needs: " + ", ".join(one.needs) + ".",
        "parameters": [*map(_place, places(one.path)), *_parameters(one.asked)],
        "responses": {
            "200": {
                "description": "what was asked for",
                "headers": {"ETag": {"schema": {"type": "string"}}},
                "content": {"application/json": answer},
            },
            "304": {"description": "it is as If-None-Match names it"},
            **refusals,
        },
    }


def _place(name: str) -> dict[str, Any]:
    words = text("en", f"api.parameter.{name}")
    schema = {"type": "string"}
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema}


def _parameters(asked: type[Asked]) -> Iterable[dict[str, Any]]:
    for name, schema in asked.model_json_schema()["properties"].items() if _has(asked) else ():
        plain = {key: one for key, one in schema.items() if key not in {"title", "description"}}
        words = text("en", f"api.parameter.{name}")
        yield {"name": name, "in": "query", "description": words, "schema": plain}


def _has(asked: type[Asked]) -> bool:
    return bool(asked.model_fields)
