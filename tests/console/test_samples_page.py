"""Looks on site, for who inspects."""

from fractions import Fraction

from gateway.city.rates.sampling.design import Verified
from gateway.city.rates.sampling.looks import Sampled, keep_look
from gateway.city.rates.sampling.sheet import Seen
from tests.console.http import get
from tests.console.town import NOW_MS, Town, uscc_of


async def test_a_look_is_shown_with_its_rate_and_what_differs(city: Town, address: str) -> None:
    assert "还没有录入的现场核查" in (await get(f"{address}/samples?lang=zh")).text
    sample = Sampled("2025-10", "ENR-A", synthetic=True, seed="ab" * 32, draws=2, machines=1)
    seen = [
        Seen(1, uscc_of(0), "1", "A-001", expected=True, found=True, connected=False, photo="p1"),
        Seen(2, uscc_of(1), "1", "B-001", expected=True, found=True, connected=True),
    ]
    verified = Verified(2, Fraction(1), Fraction(1, 2), 0.125, 0.875)
    city.database.run_now(keep_look, sample, seen, verified, NOW_MS, "李四", "两人到场")
    page = (await get(f"{address}/samples?lang=zh")).text
    for words in (
        "50.00 %",
        "12.50%—87.50%",
        "1 / 2",
        "不符：现场未联网",
        "两人到场",
        "李四",
        "p1",
    ):
        assert words in page, words
    assert "is not connected" in (await get(f"{address}/samples?lang=en")).text
    (row,) = (await get(f"{address}/samples?format=json")).json()["rows"]
    assert (row["asset_no"], row["connected"], row["entered_by"]) == ("A-001", False, "李四")
