"""What machines were on a day is found by columns as it would be machine by machine."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert

from gateway.city.db.schema.ledger_history import ledger_act, machine_history
from gateway.city.ledger.bitemporal.entries import MACHINE, held_steps
from gateway.city.ledger.bitemporal.knowledge import others
from gateway.city.ledger.bitemporal.steps import at
from gateway.city.rates.columns.ledger import read_ledger
from gateway.city.rates.columns.past import as_of
from tests.support.city_db import USCCS, add_enterprise, add_machine, sqlite_city

DAY = date(2026, 10, 31)
MACHINES, ACTS = 4, 3
Step = tuple[int, int, int, str, bool, int | None]
"""Machine, act, day of the step from 1 October, class, digital, day of commissioning."""


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    """What was said of some machines; of one by one act and of one day only once."""
    keys = st.tuples(
        st.integers(0, MACHINES - 1), st.integers(0, ACTS), st.sampled_from([-9999, 0, 20, 40])
    )
    return [
        (*key, draw(st.sampled_from(["production", "aux"])), draw(st.booleans()),
         draw(st.none() | st.integers(0, 60)))
        for key in draw(st.lists(keys, unique=True, max_size=12))
    ]  # fmt: skip


def _day(number: int) -> date:
    return max(date(1970, 1, 1), date(2026, 10, 1) + timedelta(days=number))


def _say(connection: Connection, ids: list[int], said: list[Step]) -> None:
    """The last act never ended; of the others the first one counts last."""
    acts = [(1, 30), (2, 20), (3, 10), (4, None)]
    for table in (machine_history, ledger_act):
        connection.execute(delete(table))
    rows = [{"id": one, "change_id": at, "kind": "import"} for one, at in acts]
    connection.execute(insert(ledger_act), [row | {"made_by": "", "source": ""} for row in rows])
    for machine, act, start, kind, digital, began in said:
        row = {
            "machine_id": ids[machine], "valid_from": _day(start), "act_id": act + 1,
            "uscc": USCCS[0], "site_no": "1", "equipment_class": kind, "key_equipment": False,
            "digital": digital, "controller": "",
            "commissioned_on": None if began is None else _day(began),
        }  # fmt: skip
        connection.execute(insert(machine_history), [row])


def _expected(
    connection: Connection, ids: list[int], known: int | None
) -> list[tuple[object, ...]]:
    changed = others(connection, MACHINE, DAY, known)
    held = held_steps(connection, MACHINE, changed, known)
    found: list[tuple[object, ...]] = []
    for one in ids:
        values = at(held.get(one, {}), DAY)
        if values is None:
            found.append(("production", None, True))
        else:
            found.append((values["equipment_class"], values["commissioned_on"], values["digital"]))
    return found


def test_it_is_what_steps_of_each_machine_say(tmp_path: Path) -> None:
    database = sqlite_city(tmp_path)
    with database.engine.begin() as connection:
        add_enterprise(connection, USCCS[0])
        ids = [add_machine(connection, USCCS[0], f"A{number}") for number in range(MACHINES)]

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(steps(), st.sampled_from([None, 10, 20, 30]))
    def agrees(said: list[Step], known: int | None) -> None:
        with database.engine.connect() as connection:  # nothing is committed
            _say(connection, ids, said)
            ledger = as_of(connection, read_ledger(connection, date.min), DAY, known)
            classes = [ledger.class_names.texts[one] for one in ledger.classes]
            began = [date.fromordinal(one) if one else None for one in ledger.commissioned.tolist()]
            found = zip(classes, began, np.asarray(ledger.digital).tolist(), strict=True)
            assert list(found) == _expected(connection, ids, known)
            assert ledger.undated.tolist() == [one is None for one in began]

    agrees()
    database.close()
