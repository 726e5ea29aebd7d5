"""What an operation of the API is: declared once, for who answers, documents and shows it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from gateway.city.access.principal import Permission

BASE = "/api/v1"
MOST_ROWS = 1_000


class Asked(BaseModel):
    """Parameters of an address; unknown ones are refused: a typing error is no other question."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MonthAsked(Asked):
    """A month by a definition."""

    month: str = Field("", pattern=r"^(\d{4}-\d{2})?$", examples=["2026-09"])
    definition: str = Field("", max_length=32, examples=["ENR-A"])


class ListAsked(Asked):
    """A part of a list."""

    limit: int = Field(100, ge=1, le=MOST_ROWS)
    cursor: str = Field("", max_length=400)


class Said(BaseModel):
    """Part of an answer; what is null is not known, or withheld, and never 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Handler = Callable[[Request, Any], Awaitable[BaseModel]]
"""Answers a request whose parameters have been read."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that a program can ask for by GET.

    Attributes:
        name: for documents and clients; names its summary in the catalogue, too.
        path: below :data:`BASE`, with places in braces.
        needs: permissions, all of them.
        asked: what the query may hold.
        answer: what is said.
        handler: who says it.
    """

    name: str
    path: str
    needs: tuple[Permission, ...]
    asked: type[Asked]
    answer: type[BaseModel]
    handler: Handler

    @property
    def is_list_of_rows(self) -> bool:
        """Whether it hands out rows of many enterprises, which is written down."""
        return Permission.EXPORT in self.needs


FIGURES = (Permission.FIGURES,)
ONE = (Permission.ENTERPRISES,)
ROWS = (Permission.ENTERPRISES, Permission.EXPORT)
"""What operations need: figures, one enterprise or machine, lists of them."""
