"""That this host's file of issued identifiers has all that the database has, and what else it has.

Any worker may lead, and whoever leads issues by the file of its own host. So every host notes what
the others have issued, from the database that they share: a database that is restored from a copy
then finds no host whose file has forgotten more than a few minutes.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import equipment
from gateway.city.identifiers.issued import Dated, Issue, IssuedFile
from gateway.city.ledger.machines import is_named
from gateway.city.ledger.names import MachineName
from gateway.core.days import HOUR_MS
from gateway.durable import make_folder
from gateway.identifier.codes.handle import Handle
from gateway.relational.database import Database, words
from gateway.retry import Retry

_log = logging.getLogger(__name__)

PERIOD_S = 300.0
"""A file is behind what another host issued by no more than this. Each look reads the table once,
as nothing is sorted by the time of issue: a tenth of a second for a million machines."""
PORTION = 5_000
_FIRST_PAUSE_MS = 1_000
_APART_MS = HOUR_MS
"""Clocks of hosts differ: what is older than the newest in the file by this much is there."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the comparison of file and database found.

    Attributes:
        lacking: identifiers of the database that the file had not; it has them now.
        contradicted: pairs that file and database give to different machines: what the file
            says, what the database says. Nothing was changed.
        further: identifiers of the file that the database has not.
    """

    lacking: list[Issue]
    contradicted: list[tuple[Issue, Issue]]
    further: int


def agree(connection: Connection, issued: IssuedFile, since_ms: int = 0) -> Agreement:
    """Note in the file what the database says was issued.

    Args:
        connection: the city's database.
        issued: the file.
        since_ms: only what was issued at or after it, UTC milliseconds.
    """
    lacking: list[Issue] = []
    contradicted: list[tuple[Issue, Issue]] = []
    last, count = -1, 0
    while portion := _portion(connection, last, since_ms):
        last, count = max(portion), count + len(portion)
        found = issued.complete(list(portion.values()))
        lacking += found.lacking
        machines = {one.issue: machine for machine, one in portion.items()}
        # The file has the name of then, which the machine may have given up since.
        contradicted += [
            (ours, theirs)
            for ours, theirs in found.otherwise
            if not is_named(connection, machines[theirs], ours.machine)
        ]
    return Agreement(lacking, contradicted, 0 if since_ms else max(0, issued.count() - count))


def _portion(connection: Connection, last: int, since_ms: int) -> dict[int, Dated]:
    """The next identifiers by machine, with the names of today."""
    columns = (equipment.c.uscc, equipment.c.site_no, equipment.c.asset_no)
    query = (
        select(equipment.c.id, identifier.c.handle, identifier.c.issued_ms, *columns)
        .join_from(identifier, equipment, identifier.c.equipment_id == equipment.c.id)
        .where(equipment.c.id > last, identifier.c.issued_ms >= since_ms)
        .order_by(equipment.c.id)
        .limit(PORTION)
    )
    return {
        row.id: Dated(
            Issue(Handle.parse(row.handle), MachineName(row.uscc, row.site_no, row.asset_no)),
            row.issued_ms,
        )
        for row in connection.execute(query)
    }


def tell(found: Agreement, issued: IssuedFile) -> None:
    """Say what a person must know of a comparison."""
    if found.lacking:
        _log.warning(
            "%s lacked %d identifiers that the database says were issued, the first is %s; it has "
            "them now (it is new, or another host led meanwhile)",
            issued.path,
            len(found.lacking),
            found.lacking[0].handle,
        )
    if found.contradicted:
        ours, theirs = found.contradicted[0]
        _log.error(
            "%d identifiers belong to one machine by %s and to another by the database; the first "
            "is %s: %s there, %s here. Was the database restored from a copy while another host "
            "led? Compare with the node and withdraw what is wrong in the ledger",
            len(found.contradicted),
            issued.path,
            ours.handle,
            "/".join(ours.machine),
            "/".join(theirs.machine),
        )
    if found.further:
        _log.warning(
            "the database lacks %d identifiers that were issued by %s: it was restored from a "
            "copy, or the node has given them to other machines; their machines get them back",
            found.further,
            issued.path,
        )


async def reached(database: Database, issued: IssuedFile) -> None:
    """Compare all of both, and tell; whoever leads does so before it issues anything.

    A database that is away is waited for.
    """
    found = await _retry(issued.path, _FIRST_PAUSE_MS).until_done(
        lambda: database.read(agree, issued), SQLAlchemyError, sqlite3.Error, words=words
    )
    tell(found, issued)


async def run(database: Database, file: Path, now_ms: Callable[[], int]) -> None:
    """Keep a host's file at what the database has, until cancelled; for every worker of a city.

    Args:
        database: of the city.
        file: of issued identifiers, on this host.
        now_ms: the clock, UTC milliseconds.

    Raises:
        OSError: its folder cannot be made.
        IssuedFileError: the file cannot be used.
    """
    attempts = _retry(file, int(PERIOD_S * 1000))
    since_ms = 0
    make_folder(file.parent)  # with a database elsewhere nobody else may have made it yet
    with closing(IssuedFile(file)) as issued:
        while True:
            begun_ms = now_ms()
            try:
                found = await database.read(agree, issued, since_ms)
            except (SQLAlchemyError, sqlite3.Error) as error:
                attempts.failed(words(error))
            else:
                attempts.succeeded()
                # What another host has issued in the last minutes is no news.
                if not since_ms or found.contradicted:
                    tell(found, issued)
                since_ms = begun_ms - _APART_MS
            await asyncio.sleep(PERIOD_S)


def _retry(file: Path, first_ms: int) -> Retry:
    lost = f"{file} is not compared with what the database says was issued"
    return Retry(_log, lost, f"{file} is compared again", first_ms=first_ms, longest_ms=first_ms)
