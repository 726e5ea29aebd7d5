"""Rows outside of an importer's scope are mistakes, before and after what they would change."""

from pathlib import Path

import pytest

from gateway.city.access.principal import parse_scope
from gateway.city.ledger.importer import import_ledger
from gateway.city.ledger.importing.terms import Terms
from gateway.city.ledger.sheet.problems import LedgerError
from gateway.relational.database import Database
from tests.support.city_db import USCCS

OWN, FOREIGN, NEW = USCCS[:3]
HERE, THERE = "330822", "330881"
FIRM, MACHINE = "uscc,name,county,industry,above_scale", "uscc,asset_no,name,equipment_class,status"
NOW_MS = 1_793_836_800_000


def firm(uscc: str, county: str) -> str:
    return f"{uscc},甲,{county},3451,是\n"


@pytest.fixture
def city(database: Database, tmp_path: Path) -> Database:
    """One enterprise in the importer's county, and one elsewhere."""
    file = tmp_path / "first.csv"
    file.write_text(f"{FIRM}\n{firm(OWN, HERE)}{firm(FOREIGN, THERE)}", encoding="utf-8")
    import_ledger(database, [file], NOW_MS)
    return database


@pytest.mark.parametrize(
    ("firms", "machines", "wrong"),
    [
        ((), (OWN,), 0),
        (((OWN, HERE), (NEW, HERE)), (OWN, NEW), 0),
        ((), (OWN, FOREIGN), 1),
        (((FOREIGN, THERE),), (), 1),
        (((FOREIGN, HERE),), (FOREIGN,), 2),  # taken over from another county
        (((OWN, THERE),), (OWN,), 2),  # given away, and its machines with it
        (((NEW, THERE),), (), 1),
    ],
)
def test_rows_of_others_are_mistakes(
    city: Database,
    tmp_path: Path,
    firms: tuple[tuple[str, str], ...],
    machines: tuple[str, ...],
    wrong: int,
) -> None:
    files = [tmp_path / "e.csv", tmp_path / "m.csv"]
    files[0].write_text(f"{FIRM}\n" + "".join(firm(*one) for one in firms), encoding="utf-8")
    rows = "".join(f"{uscc},1#注塑机,注塑机,production,在用\n" for uscc in machines)
    files[1].write_text(f"{MACHINE}\n{rows}", encoding="utf-8")
    wanted = [file for file, some in zip(files, (firms, machines), strict=True) if some]
    terms = Terms(parse_scope(f"county:{HERE}"))
    if not wrong:
        import_ledger(city, wanted, NOW_MS, dry_run=True, terms=terms)
        return
    with pytest.raises(LedgerError) as refused:
        import_ledger(city, wanted, NOW_MS, dry_run=True, terms=terms)
    said = [one.message for one in refused.value.problems]
    assert said == ["is an enterprise outside of what you may change; take it out"] * wrong
