"""The small town of the console's tests as the demonstration opens it: a button for each role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Connection, update
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.city.access.principal import Role, administrator, parse_scope
from gateway.city.access.users import User, add
from gateway.city.console.app import build
from gateway.city.console.pages.people.guests import guest
from gateway.city.db import tables
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.city.rates.frozen.results import Correction
from tests.console.conftest import served
from tests.console.town import NOW_MS, town, uscc_of

AREA, IN_AREA = "QZ-ZZXC", 4
SCOPES = {
    Role.ADMINISTRATOR: "all",
    Role.BUREAU: "all",
    Role.COUNTY: "county 330822",
    Role.PARK: f"area {AREA}",
    Role.ENTERPRISE: f"enterprise {uscc_of(0)}",
    Role.AUDITOR: "all",
    Role.INTEGRATOR: f"enterprise {uscc_of(2)} {uscc_of(3)}",
}
CORRECTED = "2025-10"
LATE = Correction("late_data", "网关断网后补传", "李四")


@asynccontextmanager
async def demonstration(folder: Path) -> AsyncIterator[str]:
    """The address of its console; October is final, and was published anew."""
    async with (
        served(Starlette(routes=[Route("/lines", _lines)])) as control,
        town(folder, control=control, accounts=True) as made,
        served(build(made.context)) as base,
    ):
        made.database.run_now(_people)
        for later, correction in enumerate((None, LATE)):
            freeze_month(
                made.database, "ENR-A", CORRECTED, NOW_MS + later,
                demonstration=True, correction=correction,
            )  # fmt: skip
        yield base


async def _lines(_request: Request) -> JSONResponse:
    return JSONResponse([])


def _people(connection: Connection) -> None:
    moved = update(tables.enterprise).where(tables.enterprise.c.uscc == uscc_of(IN_AREA))
    connection.execute(moved.values(functional_area=AREA))
    for role, scope in SCOPES.items():
        name = guest(role)
        user = User(name, name, role, parse_scope(scope), NOW_MS, "demo", None, is_invited=True)
        add(connection, administrator("demo"), user)
