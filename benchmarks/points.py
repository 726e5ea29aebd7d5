"""Point tables of 10,000 points: what each step of ``qulink points`` costs, start-up included."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.usage import spent

_POINTS = 10_000
_GATEWAY = """\
gateway: {{id: gw-1, enterprise_uscc: 91330800MA2DGX3Y5B}}
profiles:
  - name: press
    driver: modbus
    source: controller
    groups:
      - {{name: fast, {tags}}}
devices:
  - id: press-1
    driver: modbus
    profile: press
    asset_no: P-1
    connection: {{host: 127.0.0.1}}
"""
_ONE = 'tags: [{name: t0, address: "holding:0:float32"}]'

Row = dict[str, object]


def measure() -> Iterator[Row]:
    """Every row: template, export, check and import, as a workbook and as CSV."""
    for ending in (".xlsx", ".csv"):
        with tempfile.TemporaryDirectory(prefix="qulink-bench-") as name:
            yield from _steps(Path(name), ending)


def _steps(folder: Path, ending: str) -> Iterator[Row]:
    rows = (f"t{at},holding:{2 * at}:float32,kWh,0.1,0.5\n" for at in range(_POINTS))
    (folder / "all.csv").write_text("name,address,unit,scale,deadband\n" + "".join(rows))
    full = _config(folder, "full.yaml", "tags_file: all.csv")
    out, changed = folder / f"out{ending}", folder / "changed.csv"
    yield _step(f"template {ending}", "template", "modbus", folder / f"template{ending}")
    yield _step(f"export {ending}", "export", full, "press-1", out)
    yield _step(f"check {ending}", "check", "press-1", out, "--config", full)
    yield _imported(f"import {ending}, nothing to change", full, out)
    yield _imported(f"import {ending} into one tag", _config(folder, "one.yaml", _ONE), out)
    changed.write_text((folder / "all.csv").read_text().replace("kWh", "MWh"))
    again = _config(folder, "again.yaml", f"tags_file: {out.name}")
    yield _imported(f"import that changes all in {ending}", again, changed)


def _config(folder: Path, name: str, tags: str) -> Path:
    file = folder / name
    file.write_text(_GATEWAY.format(tags=tags))
    return file


def _imported(name: str, config: Path, table: Path) -> Row:
    return _step(name, "import", config, "press-1", table, "--yes", "--on-conflict", "replace")


def _step(name: str, *words: object) -> Row:
    command = (sys.executable, "-m", "gateway", "points", *map(str, words))
    cost = spent(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    return {"name": f"qulink points {name}, {_POINTS:,} points", **cost}
