"""What each role does of a morning; docs/roles.md tells it in words."""

from collections.abc import Awaitable, Callable

from gateway.city.access.principal import Role
from tests.console.town import PLACES, uscc_of
from tests.roles.city import AREA, CORRECTED, LATE
from tests.roles.walk import Walk

NAMES = [place[2] for place in PLACES]
WHOLE, OWN = "46.38", "70.83"
"""Rates of the city and of the first enterprise, per cent."""
SILENT = uscc_of(5)
"""An enterprise of which no machine sends."""
PHONE = 390


async def administrator(walk: Walk) -> None:
    """Who may come in, what was done, and whether the ledger is in order."""
    await walk.shows(WHOLE)
    await walk.follow("/users")
    await walk.shows("demo-bureau-officer", "330822")
    await walk.look()
    await walk.follow("/audit")
    await walk.shows("demo-administrator")
    await walk.follow("/tokens")
    await walk.open("/ledger")
    await walk.shows("A-001")


async def bureau_officer(walk: Walk) -> None:
    """From the city's rate to the machine that is silent; the corrected month; the sheet."""
    await walk.shows(WHOLE)
    await walk.look()
    await walk.follow("/industries")
    await walk.follow("/industries/2221")
    await walk.follow(f"/enterprises/{SILENT}")
    await walk.shows("A-001")
    await walk.follow(f"/enterprises/{SILENT}/1/A-001")
    await walk.shows("ENR-A")
    await walk.follow("/quality")
    await walk.shows("checksum does not match", "qulink test", NAMES[5])
    await walk.open(f"/?month={CORRECTED}")
    await walk.shows(LATE.note, LATE.corrected_by)
    await walk.follow(f"/print?month={CORRECTED}")
    await walk.open("/print?quarter=2025-Q4")
    await walk.shows("138")
    await walk.open("/")
    await walk.follow("/wall")
    await walk.shows(WHOLE)


async def county_officer(walk: Walk) -> None:
    """Which enterprises of the county move it, and one that is looked for by name."""
    await walk.shows("20 / 36")
    await walk.follow("/counties/330822")
    await walk.shows(NAMES[0], NAMES[1])
    await walk.look()
    await walk.searches("轴承")
    await walk.shows(NAMES[0])
    await walk.lacks(NAMES[2], NAMES[4])
    await walk.open("/movers")
    await walk.is_refused(f"/enterprises/{uscc_of(2)}", 404)
    await walk.is_refused("/audit", 403)


async def park_operator(walk: Walk) -> None:
    """The park on the wall, and its enterprises."""
    await walk.shows("24 / 48")
    await walk.follow("/enterprises")
    await walk.shows(NAMES[4])
    await walk.lacks(NAMES[0], NAMES[5])
    await walk.open(f"/wall/{AREA}")
    await walk.shows("50.00")
    await walk.look()
    await walk.is_refused("/wall/QZ-ZHXC", 404)


async def enterprise(walk: Walk) -> None:
    """Itself, which of its machines do not count, and nothing of others."""
    await walk.shows(OWN)
    await walk.lacks(*NAMES[1:])
    await walk.open(f"/enterprises/{uscc_of(0)}")
    await walk.shows("17 / 24")
    await walk.look()
    await walk.follow(f"/enterprises/{uscc_of(0)}/1/A-024")
    await walk.open(f"/enterprises/{uscc_of(0)}/1/A-001")
    await walk.shows("2,840.5")
    await walk.is_refused(f"/enterprises/{uscc_of(1)}", 404)
    await walk.is_refused(f"/api/v1/enterprises/{uscc_of(1)}/machines", 404)
    await walk.searches(NAMES[1])
    await walk.lacks(uscc_of(1))


async def auditor(walk: Walk) -> None:
    """Why a machine is counted, in two clicks; what was published anew; who looked."""
    await walk.open(f"/enterprises/{uscc_of(0)}")
    await walk.follow(f"/enterprises/{uscc_of(0)}/1/A-001")  # the first click
    await walk.page.click("#evidence summary")  # the second
    await walk.page.until("document.querySelector('#evidence details').open")
    await walk.shows("2025-11-20", "gw-0")
    await walk.look()
    await walk.open("/revisions")
    await walk.shows(LATE.note)
    await walk.follow("/audit")
    await walk.shows(uscc_of(0), "demo-auditor")
    await walk.is_refused("/users", 403)


async def integrator(walk: Walk) -> None:
    """Which gateways are away, which devices behind them, and since when."""
    await walk.shows("gw-3", "gw-2")
    await walk.follow("/quality")
    await walk.shows("gw-3", "qulink test")
    await walk.lacks("gw-0")
    await walk.look()
    await walk.open(f"/enterprises/{uscc_of(2)}/1/A-004")
    await walk.open("/gaps")
    await walk.shows("sander-4")
    await walk.is_refused("/users", 403)


DAYS: dict[Role, Callable[[Walk], Awaitable[None]]] = {
    Role.ADMINISTRATOR: administrator,
    Role.BUREAU: bureau_officer,
    Role.COUNTY: county_officer,
    Role.PARK: park_operator,
    Role.ENTERPRISE: enterprise,
    Role.AUDITOR: auditor,
    Role.INTEGRATOR: integrator,
}
