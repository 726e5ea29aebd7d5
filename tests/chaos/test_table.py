"""The page takes a campaign's table, and keeps what people wrote around it."""

from pathlib import Path

from tests.chaos.campaign import Result
from tests.chaos.table import BEGIN, END, write

MACHINE = {
    "revision": "abc1234",
    "cores": 2,
    "cpu": "a processor",
    "load_before": 0.5,
    "system": "Linux",
    "python": "3.11",
}


def test_the_table_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}old\n{END}after\n")
    results = [
        Result("kill-city", 1, faults=3, seconds=30, answers=100),
        Result("kill-city", 2, faults=4, seconds=30, answers=90, stale=1),
        Result("clock", 1, lacking="libfaketime is missing"),
    ]
    report = {
        "machine": MACHINE,
        "date": "2026-01-02",
        "seed": 7,
        "took_minutes": 2.5,
        "results": [one.as_json() for one in results],
    }
    for _ in range(2):
        write(report, page)
        made = page.read_text()
        assert made.startswith(f"before\n{BEGIN}Made on 2026-01-02 from abc1234: seed 7")
        assert made.endswith(f"| all |  | 2 | 7 | 190 | 0 | 1 | 0 | 0 | 0 |\n{END}after\n")
        assert "| 2 | 7 | 190 | 0 | 1 | 0 | 0 | 0 |\n| all" in made
        assert "old" not in made
        assert "`clock`" not in made
