"""Looks on site as they were entered: kept, and never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection, insert, select

from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Scope
from gateway.city.access.scoping import owned
from gateway.city.db.schema.declared import sample_look, sample_machine
from gateway.city.rates.sampling.design import Verified, verified
from gateway.city.rates.sampling.sheet import Seen, by_draw

NOTE = 300
"""So many characters of a note are kept."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Which sample was looked at.

    Attributes:
        month: ``YYYY-MM``.
        definition: id of the one whose denominator was sampled.
        synthetic: synthetic machines count.
        seed: by which it was drawn.
        draws: of enterprises.
        machines: a draw.
    """

    month: str
    definition: str
    synthetic: bool
    seed: str
    draws: int
    machines: int


@dataclass(frozen=True, slots=True)
class Look:
    """A look that was entered.

    Attributes:
        number: of the look.
        sample: what was looked at.
        verified: the rate that it verifies.
        entered_ms: UTC milliseconds.
        made_by: who entered it.
        note: what they say of it.
        looked: machines that were looked at, of the reader's scope.
        differing: of these, those that were found otherwise than the month counts them.
    """

    number: int
    sample: Sampled
    verified: Verified
    entered_ms: int
    made_by: str
    note: str
    looked: int
    differing: Sequence[Seen]


def conclude(
    connection: Connection,
    sample: Sampled,
    seen: Sequence[Seen],
    now_ms: int,
    made_by: str,
    note_text: str = "",
    sample_id: int | None = None,
) -> tuple[int, Verified]:
    """Keep a look at all machines of a sample; gives its number and the rate that it verifies."""
    found = verified(by_draw(seen))
    return keep_look(connection, sample, seen, found, now_ms, made_by, note_text, sample_id), found


def keep_look(
    connection: Connection,
    sample: Sampled,
    seen: Sequence[Seen],
    rated: Verified,
    now_ms: int,
    made_by: str,
    note_text: str = "",
    sample_id: int | None = None,
) -> int:
    """Keep what people saw, and what it verifies; gives the number of the look.

    Args:
        connection: the city's database.
        sample: what was looked at.
        seen: all its machines.
        rated: the rate.
        now_ms: UTC milliseconds.
        made_by: who enters it.
        note_text: what they say of it.
        sample_id: number of the sample that was drawn on the page; None: the command drew it.
    """
    rate = rated.rate
    row = insert(sample_look).values(
        month=sample.month,
        definition=sample.definition,
        synthetic=sample.synthetic,
        seed=sample.seed,
        draws=sample.draws,
        machines=sample.machines,
        found=str(rated.found),
        rate=None if rate is None else str(rate),
        low=rated.low,
        high=rated.high,
        entered_ms=now_ms,
        made_by=made_by,
        note=" ".join(note_text.split())[:NOTE],
        sample_id=sample_id,
    )
    number = int(connection.execute(row.returning(sample_look.c.id)).scalar_one())
    rows = [{"look_id": number, **one._asdict()} for one in seen]
    connection.execute(insert(sample_machine), rows)
    note(connection, now_ms, made_by, Action.SAMPLED, sample.month, f"look {number}")
    return number


def looks(connection: Connection, scope: Scope, *, synthetic: bool) -> list[Look]:
    """The looks that were entered, the last one first; of machines those of a scope.

    Args:
        connection: the city's database.
        scope: whose machines are told.
        synthetic: of a demonstration.
    """
    columns, machine = sample_look.c, sample_machine.c
    query = select(sample_look).where(columns.synthetic.is_(synthetic)).order_by(columns.id.desc())
    found = []
    for row in connection.execute(query).all():
        own = select(*(machine[name] for name in Seen._fields)).where(
            machine.look_id == row.id, owned(machine.uscc, scope)
        )
        order = (machine.draw, machine.uscc, machine.site_no, machine.asset_no)
        seen = [Seen(*one) for one in connection.execute(own.order_by(*order))]
        found.append(
            Look(
                row.id,
                Sampled(
                    row.month, row.definition, row.synthetic, row.seed, row.draws, row.machines
                ),
                Verified(
                    row.draws,
                    Fraction(row.found),
                    None if row.rate is None else Fraction(row.rate),
                    row.low,
                    row.high,
                ),
                row.entered_ms,
                row.made_by,
                row.note,
                len(seen),
                [one for one in seen if one.differs],
            )
        )
    return found
