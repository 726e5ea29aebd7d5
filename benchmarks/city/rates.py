"""How rates grow with the city: a month, the update of a day, pages, memory and disk.

Each figure is of a process of its own. Processor time is what it says on a shared machine, too;
passing time is not.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from statistics import median

import httpx
from sqlalchemy import Connection

from benchmarks.city import growing, sizes
from benchmarks.city.settings import write_city
from benchmarks.processes import HERE, ROOT
from benchmarks.usage import family, snapshot
from edge_config.loading.load import load_city
from gateway.city.rates.cells.dimensions import Cells, all_cells
from gateway.city.rates.columns.kept import KeptLedger
from gateway.city.rates.columns.ledger import ReadLedger, read_ledger
from gateway.city.rates.definitions import load_definitions
from gateway.city.rates.frozen.freezing import results_to_freeze
from gateway.city.rates.frozen.results import Correction
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.period import period_of
from gateway.city.rates.tallies import tallies_of
from gateway.core.days import day_of
from gateway.relational.database import connect
from tests.support.peers import free_port, wait_for_port

SIZES = (10_000, 100_000, 1_000_000)
HEADLINE = "ENR-A"
SHOWN = (HEADLINE, "ONL", "COV")
"""Whose figures a page shows together."""
_TURNS = 5
"""How often a page is asked for."""
_READY_S = 300.0
_MAKING = 'class="making"'
"""On a page whose figures are not there yet."""
_CONSOLE, _APART = b"gateway.city.console\0", b"gateway.city.console.apart\0"
"""In the command line of the process that serves pages, and of the one that computes for it."""


def measure() -> Iterator[dict[str, object]]:
    """Make cities of growing size, one after another."""
    for machines in SIZES:
        with tempfile.TemporaryDirectory() as name:
            for one in _measured(Path(name), machines):
                sys.stderr.write(f"bench: rates, {machines} machines: {one['name']}\n")
                yield one


def _measured(folder: Path, machines: int) -> Iterator[dict[str, object]]:
    port = free_port()
    file = write_city(folder, "mqtt://127.0.0.1:1", port)
    data = load_city(file).data_dir
    today = day_of(_now_ms())
    codes = growing.make(data, machines, today)
    yield {"name": "a year on disk", "machines": machines, **sizes.of_year(data, today)}
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks.city.rates", str(data)],
        capture_output=True, check=True, cwd=ROOT,
    ).stdout  # fmt: skip
    yield from ({"machines": machines} | one for one in json.loads(said))
    yield from ({"machines": machines} | one for one in _pages(file, port, codes))


def _months(data: Path) -> Iterator[dict[str, object]]:
    """A month by one record and by all, and what a further day of the running one costs."""
    database = connect("sqlite:///city.db", data)
    now_ms = _now_ms()
    today, definitions = day_of(now_ms), load_definitions(None, None)
    past = f"{date.fromordinal(today.replace(day=1).toordinal() - 1):%Y-%m}"
    lasting = [one for one, record in definitions.items() if record.measure != "answering"]

    ledgers = KeptLedger()  # as the console has one

    def months(names: list[str], month: str | None) -> Callable[[], object]:
        period = period_of(month, now_ms, None)
        inquiries = [Inquiry(definitions[one], period, now_ms, demonstration=True) for one in names]
        read = read_ledger if month else ledgers
        return lambda: database.read_now(_computed, inquiries, read)

    def frozen() -> object:
        how = {"demonstration": True, "correction": Correction("bench", "", "")}
        return database.read_now(results_to_freeze, lasting, past, now_ms, **how)

    yield _spent("a month, first", months([HEADLINE], past))
    yield _spent(f"a month by {len(lasting)} records", months(lasting, past))
    yield _spent(f"the results of a month by {len(lasting)} records, to be frozen", frozen)
    yield _spent("the running month", months([HEADLINE], None))
    growing.another_day(data, today)
    yield _spent("the same when a day has come", months([HEADLINE], None))
    yield _spent("by the records of a page", months(list(SHOWN), None))
    database.close()


def _computed(connection: Connection, inquiries: list[Inquiry], read: ReadLedger) -> list[Cells]:
    return [all_cells(tallies) for tallies, _ in tallies_of(connection, inquiries, ledgers=read)]


def _spent(name: str, work: Callable[[], object]) -> dict[str, object]:
    begun, cpu = time.monotonic(), time.process_time()
    work()
    return {
        "name": name,
        "seconds": round(time.monotonic() - begun, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "most_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _pages(file: Path, port: int, codes: list[str]) -> Iterator[dict[str, object]]:
    """The console's pages, after a start that finds nothing computed."""
    with ExitStack() as stack:
        city = HERE.run(stack, "-m", "gateway", "city", str(file), output=file.parent / "log")
        wait_for_port(port, 120)
        begun = time.monotonic()
        client = stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_READY_S, trust_env=False)
        )
        first = client.get("/")
        yield _came("first page", first.status_code, begun, city.pid)
        while _MAKING in first.text and time.monotonic() - begun < _READY_S:
            time.sleep(0.2)
            first = client.get("/")
        yield _came("first page with figures", first.status_code, begun, city.pid)
        console = next(one for one in family(city.pid) if _CONSOLE in _command(one))
        for path in _paths(codes):
            yield _page(client, path, console)
        yield from _memory(console)


def _memory(console: int) -> Iterator[dict[str, object]]:
    """Of the console with the process that computes for it, and of that one alone."""
    apart = next(one for one in family(console) if _APART in _command(one))
    for name, pid in (("console", console), ("of which computes", apart)):
        yield {"name": name, "rss_mib": round(snapshot(pid).rss_bytes / 2**20, 1)}


def _paths(codes: list[str]) -> list[str]:
    firm = codes[len(codes) // 2]
    return [
        "/", "/industries", "/enterprises", "/enterprises?sort=change&county=330802&page=1",
        f"/enterprises/{firm}", f"/enterprises/{firm}/1/A-0001", "/counties/330802",
        "/industries/3451", "/movers", "/quality", f"/search?q={firm[:12]}", "/search?q=磨床",
        "/revisions", "/wall", "/ledger", "/definitions", "/published",
        "/api/v1/figures?by=enterprise",
    ]  # fmt: skip


def _page(client: httpx.Client, path: str, console: int) -> dict[str, object]:
    """A page as it comes first, and again; figures that are made behind it take time, too."""
    answer = client.get(path)
    first_s, took, cost = answer.elapsed.total_seconds(), [], []
    for _ in range(_TURNS):
        before = snapshot(console).cpu_s
        answer = client.get(path)
        took.append(answer.elapsed.total_seconds())
        cost.append(snapshot(console).cpu_s - before)
    return {
        "name": path,
        "status": answer.status_code,
        "first_ms": round(1000 * first_s),
        "median_ms": round(1000 * median(took)),
        "cpu_ms": round(1000 * min(cost)),
    }


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _came(name: str, status: int, begun: float, pid: int) -> dict[str, object]:
    """When an answer came, since the console has listened; and what all processes took by then."""
    seconds, cpu_s = time.monotonic() - begun, snapshot(pid).cpu_s
    return {
        "name": name,
        "status": status,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_s, 2),
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    json.dump(list(_months(Path(sys.argv[1]))), sys.stdout)
