"""The rates of months: read where they are frozen, computed where they are not.

Every function takes a SQLAlchemy connection.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sqlalchemy import Connection, select

from gateway.city.db.operation import began_on
from gateway.city.db.tables import enterprise
from gateway.city.ledger.names import MachineName
from gateway.city.rates.cells.dimensions import CITY, DIMENSIONS, Dimension, all_cells, unknown
from gateway.city.rates.cells.tally import Tally
from gateway.city.rates.columns.ledger import ReadLedger, read_ledger
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.definitions import builtin_definitions, definition_of, record_of
from gateway.city.rates.frozen.rest_days import digest_of
from gateway.city.rates.frozen.results import StoredTable, final_table, vintage_table
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import as_of_ms, period_of
from gateway.city.rates.reports.table import RateMonth
from gateway.city.rates.tallies import Places, is_known, tallies_of

Definitions = Mapping[str, Definition]
Wanted = tuple[str, str | None]
"""A definition's id, and a month ``YYYY-MM``; None: the running one."""


def rate_months(
    connection: Connection,
    wanted: Sequence[Wanted],
    now_ms: int,
    *,
    demonstration: bool,
    answering: AbstractSet[MachineName] = frozenset(),
    definitions: Definitions | None = None,
    dimensions: Iterable[Dimension] = DIMENSIONS,
    progress: Progress = unreported,
    ledgers: ReadLedger = read_ledger,
    as_known: int | None = None,
) -> list[RateMonth]:
    """Several rates of months; ledger and evidence are read once for all of them.

    Args:
        connection: the city's database.
        wanted: definitions and months.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        answering: machines that answer now, for the measure ``answering``.
        definitions: by id; default: the built-in ones.
        dimensions: what to read of a stored month, beside the total.
        progress: is told how far it is.
        ledgers: reads the machines.
        as_known: compute all by the ledger as it was known by this change of it.

    Raises:
        DefinitionError: no such definition.
        MonthError: no month, one that has not begun, or one before the city began.
        NotComputableError: an instantaneous rate of a past month.
    """
    known, began = definitions or builtin_definitions(), began_on(connection)
    found: dict[Wanted, RateMonth] = {}
    missing: dict[Wanted, Inquiry] = {}
    for one in wanted:
        definition = definition_of(known, one[0])
        period = period_of(one[1], now_ms, began)
        inquiry = Inquiry(definition, period, now_ms, demonstration, answering, known=as_known)
        final = None if as_known is not None else _final(connection, inquiry, dimensions)
        if final is None:
            missing[one] = inquiry
        else:
            found[one] = final
    computed = tallies_of(connection, list(missing.values()), progress, ledgers)
    for (one, inquiry), (tallies, places) in zip(missing.items(), computed, strict=True):
        found[one] = _computed(connection, inquiry, tallies, places)
    return [found[one] for one in wanted]


def _final(
    connection: Connection, inquiry: Inquiry, dimensions: Iterable[Dimension]
) -> RateMonth | None:
    """A month as it was stored when it was final; None: it is not."""
    name, month, parts = inquiry.definition.id, inquiry.period.month, (CITY, *dimensions)
    stored = final_table(connection, name, month, parts, inquiry.demonstration)
    return None if stored is None else _read(connection, inquiry, stored)


def rate_month(
    connection: Connection,
    definition_id: str,
    month: str | None,
    now_ms: int,
    *,
    demonstration: bool,
    answering: AbstractSet[MachineName] = frozenset(),
    definitions: Definitions | None = None,
    dimensions: Iterable[Dimension] = DIMENSIONS,
    as_known: int | None = None,
) -> RateMonth:
    """A rate of one month; see :func:`rate_months`."""
    (found,) = rate_months(
        connection,
        [(definition_id, month)],
        now_ms,
        demonstration=demonstration,
        answering=answering,
        definitions=definitions,
        as_known=as_known,
        dimensions=dimensions,
    )
    return found


def stored_month(
    connection: Connection,
    definition_id: str,
    month: str,
    vintage: int,
    now_ms: int,
    *,
    demonstration: bool,
    definitions: Definitions | None = None,
) -> RateMonth | None:
    """A month as one vintage of it was stored, provisional or final; None: there is no such one.

    Raises:
        DefinitionError: no such definition.
        MonthError: no month, one that has not begun, or one before the city began.
    """
    definition = definition_of(definitions or builtin_definitions(), definition_id)
    period = period_of(month, now_ms, began_on(connection))
    parts = (CITY, *DIMENSIONS)
    stored = vintage_table(connection, definition_id, month, vintage, parts, demonstration)
    inquiry = Inquiry(definition, period, now_ms, demonstration)
    return None if stored is None else _read(connection, inquiry, stored)


def _computed(
    connection: Connection, inquiry: Inquiry, tallies: Sequence[Tally], places: Places
) -> RateMonth:
    cells = all_cells(tallies)
    return RateMonth(
        definition=inquiry.definition,
        definition_hash=inquiry.definition.hash,
        month=inquiry.period.month,
        status="P",
        as_of_ms=as_of_ms(inquiry.period, inquiry.now_ms),
        computed_ms=inquiry.now_ms,
        demonstration=inquiry.demonstration,
        cells=cells if is_known(connection, inquiry) else unknown(cells),
        names={uscc: one.name for uscc, one in places.items()},
        unknown_years=inquiry.unknown_years,
        only_rest=inquiry.only_rest,
    )


def _read(connection: Connection, inquiry: Inquiry, stored: StoredTable) -> RateMonth:
    window = inquiry.window
    now = inquiry.definition.calendar.text(window.first, window.as_of)
    return RateMonth(
        definition=record_of(inquiry.definition, stored.definition_hash) or inquiry.definition,
        definition_hash=stored.definition_hash,
        month=stored.month,
        status=stored.status,
        as_of_ms=as_of_ms(inquiry.period, inquiry.now_ms),
        computed_ms=stored.computed_ms,
        demonstration=inquiry.demonstration,
        cells=stored.cells,
        names=enterprise_names(connection) if "enterprise" in stored.cells else {},
        vintage=stored.vintage,
        correction=stored.correction,
        root=stored.root,
        ledger_change=stored.ledger_change,
        rest_changed=stored.rest_days not in (None, digest_of(now)),
    )


def enterprise_names(connection: Connection) -> dict[str, str]:
    """Names of all enterprises by USCC."""
    rows = connection.execute(select(enterprise.c.uscc, enterprise.c.name))
    return {row.uscc: row.name for row in rows}
