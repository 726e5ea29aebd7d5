"""Roles and scopes: who may do what, and whose rows a query gives."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from gateway.city.access.principal import (
    EVERYTHING,
    PERMISSIONS,
    SCOPES,
    Permission,
    Principal,
    Role,
    Scope,
    ScopeError,
    ScopeKind,
    administrator,
    demand_fitting,
    parse_scope,
)
from gateway.city.access.scoping import owned, seen
from gateway.city.db.tables import enterprise, gateway
from gateway.relational.database import Database
from tests.support.city_db import USCCS, sqlite_city

PLACES = (
    ("330822", ""),
    ("330822", "QZ-ZZXC"),
    ("330803", "QZ-ZZXC"),
    ("330803", "QZ-ZHXC"),
    ("330825", ""),
)
"""County and functional area of each enterprise."""
NAMES = {
    ScopeKind.COUNTIES: ("330822", "330803", "330825", "330881"),
    ScopeKind.AREAS: ("QZ-ZZXC", "QZ-ZHXC", "QZ-NONE"),
    ScopeKind.ENTERPRISES: (*USCCS, "91330800MA000009X9"),
}
named = st.one_of(
    st.frozensets(st.sampled_from(names), min_size=1).map(lambda keys, kind=kind: Scope(kind, keys))
    for kind, names in NAMES.items()
)
scopes = st.just(EVERYTHING) | named


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = sqlite_city(Path(tmp_path_factory.mktemp("city")))
    with made.engine.begin() as connection:
        for uscc, (county, area) in zip(USCCS, PLACES, strict=True):
            row = {"uscc": uscc, "name": uscc, "county": county, "industry": "3451"}
            row |= {"functional_area": area, "above_scale": True}
            connection.execute(insert(enterprise).values(row))
            one = {"id": f"gw-{uscc[-3:]}", "partition": 0, "uscc": uscc, "site_no": "1"}
            connection.execute(insert(gateway).values(**one, enrolled_ms=1))
    yield made
    made.close()


@given(scope=scopes)
def test_a_query_gives_the_rows_that_the_scope_covers(database: Database, scope: Scope) -> None:
    covered = {
        uscc
        for uscc, (county, area) in zip(USCCS, PLACES, strict=True)
        if scope.covers(uscc, county, area)
    }
    with database.engine.connect() as connection:
        assert set(connection.scalars(select(enterprise.c.uscc).where(seen(scope)))) == covered
        own = select(gateway.c.uscc).where(owned(gateway.c.uscc, scope))
        assert set(connection.scalars(own)) == covered


@given(scope=scopes)
def test_a_scope_reads_as_it_was_written(scope: Scope) -> None:
    assert parse_scope(str(scope)) == scope


@pytest.mark.parametrize("text", ["", "county", "all 330822", "town 330822", "ALL"])
def test_what_is_no_scope_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ScopeError, match="county 330822"):
        parse_scope(text)


def test_a_scope_names_rows_or_all_of_them() -> None:
    with pytest.raises(ScopeError):
        Scope(ScopeKind.COUNTIES)
    with pytest.raises(ScopeError):
        Scope(ScopeKind.ALL, frozenset({"330822"}))


def test_each_role_has_its_kinds_of_scope() -> None:
    assert SCOPES.keys() == PERMISSIONS.keys() == set(Role)
    demand_fitting(Role.COUNTY, parse_scope("county:330822,330825"))
    with pytest.raises(ScopeError, match="county-officer is named by county, not by all"):
        demand_fitting(Role.COUNTY, EVERYTHING)


def test_only_administrators_keep_users_and_auditors_change_nothing() -> None:
    keep = {role for role, allowed in PERMISSIONS.items() if Permission.USERS in allowed}
    assert keep == {Role.ADMINISTRATOR}
    auditor = Principal("a", Role.AUDITOR, EVERYTHING)
    changing = (Permission.CORRECT, Permission.IMPORT_LEDGER, Permission.RELEASE, Permission.ENROL)
    assert not any(map(auditor.may, changing))
    assert auditor.may(Permission.AUDIT_LOG)
    assert administrator("root").may(Permission.USERS)
