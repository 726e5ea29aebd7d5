"""What happens to others changes nothing that is told: no figure, rank, count, page or header."""

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, delete, insert, update

from gateway.city.access.principal import Role
from gateway.city.console.app import build
from gateway.city.db import tables
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from tests.console.test_scopes import _people, own
from tests.console.town import NOW_MS, PLACES, town, uscc_of
from tests.support.city_db import by_hand, months_anew

ADDRESSES = (
    *("/", "/wall", "/industries", "/movers?by=enterprise&month=2025-10", "/quality"),
    *("/search?q=A-001", "/print?quarter=2025-Q4", "/ledger", "/ledger/acts", "/ledger/rosters"),
    *(
        "/enterprises?format=json",
        "/details?format=json",
        "/gaps?format=json",
        "/books?format=json",
    ),
    *("/revisions?month=2025-10&format=json", "/alerts", "/published", "/charts/trend.json"),
    *("/api/v1/figures?by=industry", "/api/v1/movers?by=county&month=2025-10"),
    *("/api/v1/enterprises", "/api/v1/quality", "/healthz"),
)
HEADS = ("/enterprises?format=json", "/api/v1/figures?by=industry")
SECRET = re.compile(r'(name="csrf" value=")[^"]*')
TOLD = ("etag", "content-length", "content-disposition", "cache-control", "vary")
Answers = dict[str, tuple[object, ...]]


def disturb(connection: Connection, others: Iterable[int]) -> None:
    """Other names, places, machines, evidence, gaps and acts of the enterprises of others."""
    for one in others:
        row = tables.enterprise.c.uscc == uscc_of(one)
        said = {"name": f"别家{one}", "industry": "1411", "above_scale": False}
        connection.execute(update(tables.enterprise).where(row).values(said))
        first, last = one * 1000 + 1, one * 1000 + 999
        came = tables.evidence.c.machine_id.between(first, last)
        by_hand(connection, delete(tables.evidence).where(came))
        status = tables.status_rows
        of_half = status.c.equipment_id.between(first + 3, last)
        connection.execute(update(status).where(of_half).values(status="scrapped"))
        gap = tables.gap
        connection.execute(delete(gap).where(gap.c.gateway == f"gw-{one}"))
        values = {"gateway": f"gw-{one}", "device": "", "tag_group": "", "tags": "[]"}
        values |= {"tags_key": "z", "cause": "timeout"}
        connection.execute(insert(gap).values(**values, from_ms=NOW_MS - 5, to_ms=None))
        member = tables.roster_member.c.uscc == uscc_of(one)
        left = {"valid_to": date(2025, 10, 1)}
        connection.execute(update(tables.roster_member).where(member).values(left))
    doing = Doing(Kind.IMPORT, "别人", "别家.xlsx", NOW_MS - 10**6)
    conclude(connection, begin(connection, doing), doing)
    months_anew(connection)


async def told(folder: Path, role: Role, *, disturbed: bool) -> Answers:
    """What a role is answered, by method and address."""
    others = sorted(set(range(len(PLACES))) - own(role))
    guessed = [f"/enterprises/{uscc_of(others[0])}", f"/enterprises/{uscc_of(others[0])}/1/A-001"]
    async with town(folder, accounts=True) as made:
        made.database.run_now(_people)
        if disturbed:
            made.database.run_now(disturb, others)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(build(made.context)),
            base_url="http://127.0.0.1:8080",
            cookies={"qulink_session_8080": role, "qulink_csrf": "x"},
        ) as browser:
            found: Answers = {}
            asked = [("GET", one) for one in (*ADDRESSES, *guessed)]
            for method, address in (*asked, *(("HEAD", one) for one in (*HEADS, guessed[0]))):
                answer = await browser.request(method, address)
                headers = [answer.headers.get(name) for name in TOLD]
                body = SECRET.sub("", answer.text)
                found[f"{method} {address}"] = (answer.status_code, *headers, body)
            return found


@pytest.mark.parametrize("role", [Role.COUNTY, Role.ENTERPRISE])
async def test_what_is_told_does_not_depend_on_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    monkeypatch.setattr("gateway.web.access.admission.system_ms", lambda: NOW_MS)
    before = await told(tmp_path / "a", role, disturbed=False)
    after = await told(tmp_path / "b", role, disturbed=True)
    assert [address for address, one in before.items() if after[address] != one] == []
    assert {one[0] for one in before.values()} == {200, 404}
