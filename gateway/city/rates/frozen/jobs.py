"""By what a result was computed: the job, who started it, and the code that ran."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, insert, select

from gateway import __version__
from gateway.city.db.schema.rates import rate_job

CALENDAR = "calendar"
"""Who starts what the freeze calendar asks for."""
_CODE = Path(__file__).parents[2]
_KINDS = frozenset({".py", ".yaml"})


@dataclass(frozen=True, slots=True)
class Job:
    """The computation of a vintage.

    Attributes:
        number: of the job; counts up over all definitions and months.
        started_by: who asked for it; :data:`CALENDAR`: nobody had to; empty: it is not told.
        software: version of the product.
        code: SHA-256 of the code, see :func:`code_digest`.
    """

    number: int
    started_by: str
    software: str
    code: str


@cache
def code_digest() -> str:
    """SHA-256, 64 hex digits, of the city's code and the records that come with it.

    Of each file below ``gateway/city`` that ends in ``.py`` or ``.yaml``, in the order of their
    paths: the path from there, a NUL, the SHA-256 of its bytes, and a line feed.
    """
    files = sorted(one for one in _CODE.rglob("*") if one.suffix in _KINDS)
    whole = hashlib.sha256()
    for one in files:
        path, body = one.relative_to(_CODE).as_posix(), hashlib.sha256(one.read_bytes())
        whole.update(f"{path}\0{body.hexdigest()}\n".encode())
    return whole.hexdigest()


def note_job(
    connection: Connection, definition: str, month: str, vintage: int, started_by: str
) -> None:
    """Keep by what a vintage was computed, in the transaction that stores it."""
    row = {"definition": definition, "month": month, "vintage": vintage}
    row |= {"started_by": started_by[:100], "software": __version__, "code": code_digest()}
    connection.execute(insert(rate_job).values(row))


def jobs_of(
    connection: Connection, definition: str, *, names: bool
) -> Mapping[tuple[str, int], Job]:
    """The jobs of a definition, by month and vintage; those of older results are not known.

    Args:
        connection: the city's database.
        definition: id of it.
        names: with the people who started them, whom only who sees the whole city is told.
    """
    query = select(rate_job).where(rate_job.c.definition == definition)
    return {
        (row.month, row.vintage): Job(row.id, _told(row.started_by, names), row.software, row.code)
        for row in connection.execute(query)
    }


def _told(started_by: str, names: bool) -> str:
    return started_by if names or started_by == CALENDAR else ""
