"""The process that looks at an upload or imports it: ``python -m gateway.city.ledger.uploading``.

A hundred thousand rows are half a minute of Python, which would hold up every page; here they hold
up nobody. It is told by its standard input what to do, tells how far it is by its standard output,
and ends with whoever started it: what it was at has then changed nothing, or all.
"""

import contextlib
import os
import pickle
import sys
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Literal

import msgspec

from edge_config.models.city import CityConfig
from gateway.city.access.principal import Scope
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.importing.report import ImportReport
from gateway.city.ledger.importing.terms import OutdatedError, Terms
from gateway.city.ledger.papers.entering import Entered, enter_files
from gateway.city.ledger.papers.sorts import SORTS
from gateway.city.ledger.sheet.hidden import Hidden
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.city.ledger.sheet.progress import Tell
from gateway.city.ledger.uploading.kept import MARKED, Uploads
from gateway.city.ledger.uploading.outcome import (
    Outcome,
    Upload,
    outcome_of,
    outcome_of_papers,
    told_of,
)
from gateway.city.rates.frozen.touched import FrozenMonth, frozen_from
from gateway.core.days import day_of
from gateway.deferred import defer
from gateway.relational.database import Database, connect

defer("gateway.city.ledger.uploading.marking")  # openpyxl takes as long to load as a small file
from gateway.city.ledger.uploading import marking  # noqa: E402

_COURTESY = 5
"""Pages go before imports, as receiving values goes before pages (``nice``)."""


@dataclass(frozen=True, slots=True)
class Job:
    """What to do.

    Attributes:
        config: of the city.
        key: of the upload.
        what: look at it, or import it.
        made_by: who does it, for the act.
        scope: whose rows they may change.
        now_ms: UTC milliseconds.
    """

    config: CityConfig
    key: str
    what: Literal["check", "apply"]
    made_by: str
    scope: Scope
    now_ms: int


class Step(msgspec.Struct, frozen=True):
    """How far it is: a step, how much of it, of how much (0: not known)."""

    step: str
    done: int
    total: int


def write_job(job: Job) -> bytes:
    """A job as octets; both processes are the same program."""
    return pickle.dumps(job)


def main() -> None:
    """Read the job, do it, write down what became of it."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print belongs to the log
    with contextlib.suppress(OSError):  # a service manager may forbid it
        os.nice(_COURTESY)
    try:
        job = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    except EOFError:
        return
    assert isinstance(job, Job)  # noqa: S101 - both are of one version
    threading.Thread(target=_end_with, args=(sys.stdin.fileno(),), daemon=True).start()

    def tell(step: str, done: int, total: int) -> None:
        answers.write(msgspec.json.encode(Step(step, done, total)) + b"\n")

    do(job, tell)


def _end_with(parent: int) -> None:
    while os.read(parent, 1):
        pass
    os._exit(0)


def do(job: Job, tell: Tell) -> None:
    """Do a job; what became of it lies beside the files."""
    uploads, config = Uploads(job.config.data_dir), job.config
    upload = uploads.read(job.key)
    if upload is None:
        return
    url, password = config.database.url, config.database.password
    with closing(connect(url, config.data_dir, password)) as database:
        found = _became(database, uploads, upload, job, tell)
    if found.problems:
        tell("mark", 0, 0)
        place = uploads.place(job.key, MARKED)
        marked = marking.write_marked(
            uploads.files(job.key), found.problems, upload.language, place
        )
        found = msgspec.structs.replace(found, is_marked=marked)
    uploads.keep(job.key, found)
    if found.of == "apply" and not (found.is_outdated or found.problems):
        uploads.forget_files(job.key)


def _became(database: Database, uploads: Uploads, upload: Upload, job: Job, tell: Tell) -> Outcome:
    try:
        if upload.table in SORTS:
            made = _entered(database, uploads, upload, job, tell)
            return outcome_of_papers(job.what, made, _frozen(database, made.since, job))
        report = _imported(database, uploads, upload, job, tell)
    except LedgerError as error:
        return Outcome(job.what, len(error.problems), told_of(error.problems))
    except OutdatedError:
        return Outcome(job.what, is_outdated=True)
    return outcome_of(job.what, report, _frozen(database, report.since, job))


def _imported(
    database: Database, uploads: Uploads, upload: Upload, job: Job, tell: Tell
) -> ImportReport:
    """Import, or see what that would do; bound to the files and to the ledger that were seen.

    Raises:
        LedgerError: every mistake.
        OutdatedError: these are not the files, or not the ledger, that were looked at.
    """
    seen = _agreed(uploads, upload, job)
    return import_ledger(
        database,
        uploads.files(job.key),
        job.now_ms,
        dry_run=job.what == "check",
        hidden=Hidden(upload.hidden),
        made_by=job.made_by,
        effective=date.fromisoformat(upload.effective) if upload.effective else None,
        terms=Terms(job.scope, seen, tell),
    )


def _entered(database: Database, uploads: Uploads, upload: Upload, job: Job, tell: Tell) -> Entered:
    """Enter papers, or see what that would do; bound as :func:`_imported` is.

    Raises:
        LedgerError: every mistake.
        OutdatedError: these are not the files, or not the ledger, that were looked at.
    """
    seen = _agreed(uploads, upload, job)
    tell("compare", 0, 0)
    return database.run_now(
        enter_files,
        SORTS[upload.table],
        uploads.files(job.key),
        job.now_ms,
        job.made_by,
        terms=Terms(job.scope, seen),
        dry_run=job.what == "check",
    )


def _agreed(uploads: Uploads, upload: Upload, job: Job) -> str:
    """Digest of what the ledger held when its preview was seen; empty: this makes the preview.

    Raises:
        OutdatedError: these are not the files that were looked at.
    """
    if job.what == "check":
        return ""
    seen = uploads.outcome(job.key, "check")
    if seen is None or uploads.digest(job.key) != upload.digest:
        raise OutdatedError
    return seen.basis


def _frozen(database: Database, since: Mapping[date, int], job: Job) -> list[FrozenMonth]:
    """The frozen months that a change of days before today is late for."""
    first = min(since, default=None)
    if first is None or first >= day_of(job.now_ms):
        return []
    return database.read_now(frozen_from, first, demonstration=job.config.demonstration)
