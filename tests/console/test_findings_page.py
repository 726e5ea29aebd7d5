"""What is worth a look on site, for who inspects."""

from sqlalchemy import Connection, insert, update

from gateway.city.db.tables import evidence, machine_books
from gateway.core.days import HOUR_MS, day_of, day_start_ms
from tests.console.http import get
from tests.console.town import NOW_MS, Town, uscc_of
from tests.support.city_db import by_hand

FINDINGS = f"/enterprises/{uscc_of(0)}/findings"


def copy(connection: Connection) -> None:
    """A-001 and A-002 are read by different devices, and begin and end alike on every day."""
    today = day_of(NOW_MS)
    for number in range(1, today.day + 1):
        day = today.replace(day=number)
        at = day_start_ms(day) + 8 * HOUR_MS + number * 60_000
        own = update(evidence).where(evidence.c.day == day, evidence.c.machine_id <= 2)
        by_hand(connection, own.values(first_ms=at, last_ms=at + HOUR_MS, seeded=False))
    book = {"gateway": "gw-0", "epoch": "a", "day": today, "valid": 1, "expected": 1, "seq": 1}
    books = [book | {"device": f"a-{one}", "machine_id": one} for one in (1, 2)]
    connection.execute(insert(machine_books), books)


async def test_a_finding_says_what_to_check(city: Town, address: str) -> None:
    assert "没有发现线索" in (await get(f"{address}{FINDINGS}?lang=zh&month=2025-10")).text
    city.database.run_now(copy)
    page = (await get(f"{address}{FINDINGS}?lang=zh")).text
    for words in (
        "两台设备起止时刻完全相同",
        "同一总开关",
        "断开一台",
        "/1/A-001",
        "线索不改变任何数字",
    ):
        assert words in page
    assert "two machines begin and end alike" in (await get(f"{address}{FINDINGS}?lang=en")).text
    (row,) = (await get(f"{address}{FINDINGS}?format=json")).json()["rows"]
    assert (row["kind"], row["machines"]) == ("same_times", "1/A-001 1/A-002")
    enterprise = (await get(f"{address}/enterprises/{uscc_of(0)}?lang=zh")).text
    assert FINDINGS in enterprise
