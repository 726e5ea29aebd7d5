"""What imports cost in the ledger of a million machines: ten rows of an officer, and 100,000."""

import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from benchmarks.city import beside
from benchmarks.city.million import MACHINES, make
from benchmarks.city.settings import write_city
from edge_config.loading.load import load_city
from gateway.core.days import day_of
from tests.support.peers import free_port

ROWS = 10


def measure(machines: int = MACHINES) -> list[dict[str, object]]:
    """Make the city; import ten rows with the command, as a dry run first; then very many."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = write_city(folder, "mqtt://127.0.0.1:1", free_port())
        today = day_of(time.time_ns() // 1_000_000)
        data = load_city(file).data_dir
        codes = make(data, date(today.year, 1, 1), (today, today), machines)
        rows = (f"{code},N-1,磨床,production,in_use\n" for code in codes[:ROWS])
        table = folder / "m.csv"
        table.write_text("uscc,asset_no,name,equipment_class,status\n" + "".join(rows))
        few = [_imported(file, table, machines, *more) for more in (("--dry-run",), ())]
        return [*few, beside.measure(file, data, codes)]


def _imported(file: Path, table: Path, machines: int, *more: str) -> dict[str, object]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    command = (sys.executable, "-m", "gateway", "ledger", "import", str(table), "-c", str(file))
    subprocess.run((*command, *more), check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "name": " ".join((f"import of {ROWS} rows into {machines:,} machines", *more)),
        "seconds": round(time.monotonic() - begun, 2),
        "cpu_seconds": round(
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2
        ),
        "most_memory_mib": round(after.ru_maxrss / 1024, 1),
    }
