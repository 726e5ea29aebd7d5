"""Write evidence: in which hours of a day a machine was read.

Nothing is added up, so that to write the same again changes nothing. Machines that do not stand
in the ledger have evidence too: when the ledger learns of one, its earlier days count. Days before
the city began make no evidence.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection, select

from gateway.city.db.operation import began_on
from gateway.city.db.tables import equipment
from gateway.city.erasing.standing import left_out
from gateway.city.evidence.clock_doubt import keep_doubted
from gateway.city.evidence.rows import write_evidence
from gateway.city.evidence.samples import Sample
from gateway.city.ledger.machines import MachineIds
from gateway.core.days import day_of
from gateway.relational.database import chunks


def record(connection: Connection, entries: Sequence[Sample], ids: MachineIds, now_ms: int) -> int:
    """Add evidence, of machines that are not in the ledger too.

    Args:
        connection: in a transaction that has not resolved names yet.
        entries: one a machine, day, source, kind and gateway, as :func:`merged` makes them.
        ids: of machines.
        now_ms: UTC milliseconds.

    Returns:
        How many values belong to machines that are not in the ledger.
    """
    began = began_on(connection)
    entries = [entry for entry in entries if began is None or entry.day >= began]
    if not entries:
        return 0
    found = ids.resolve(connection, ((entry.machine, entry.day) for entry in entries), now_ms)
    pairs = [(found[entry.machine, entry.day], entry) for entry in entries]
    in_ledger = _in_ledger(connection, {number for number, _ in pairs})
    record_known(connection, pairs, day_of(now_ms))
    return sum(entry.count for number, entry in pairs if number not in in_ledger)


def record_known(
    connection: Connection, entries: Sequence[tuple[int, Sample]], today: date
) -> None:
    """Add evidence of machines whose ids are known, on days since the city began.

    What a gateway of an erased enterprise has proven is left out.

    Args:
        connection: in a transaction.
        entries: ids of machines and what they sent.
        today: Asia/Shanghai day, on which it came.
    """
    if gone := left_out(connection, {one.gateway for _, one in entries}):
        entries = [one for one in entries if one[1].gateway not in gone]
    proofs = [one for one in entries if one[1].is_evidence]
    write_evidence(connection, [_evidence(*one) for one in proofs], today)
    keep_doubted(connection, entries, today)


def _in_ledger(connection: Connection, ids: set[int]) -> set[int]:
    query = select(equipment.c.id)
    return {
        number
        for part in chunks(ids)
        for number in connection.scalars(query.where(equipment.c.id.in_(part)))
    }


def _evidence(number: int, entry: Sample) -> dict[str, object]:
    return {
        "machine_id": number,
        "day": entry.day,
        "source": entry.source,
        "synthetic": entry.synthetic,
        "gateway": entry.gateway,
        "good_hours": entry.good_hours,
        "uncertain_hours": entry.uncertain_hours,
        "replayed_hours": entry.replayed_hours,
        "first_ms": entry.first_ms,
        "last_ms": entry.last_ms,
        "seeded": False,
    }
