"""How far ``qulink probe`` is, told to programs; and what it proposes for the configuration."""

import asyncio
import json
from pathlib import Path

import yaml

from edge_config.loading.load import load_gateway
from edge_config.mistakes.problems import ConfigError
from gateway.drivers.registry import installed
from tests.support.waiting import until
from tests.survey.odd_units import OddUnits, holding
from tests.survey.plant import command, device, serving
from tests.survey.test_decode import run
from tests.survey.test_probe import NEW, QUICK, SDM630

JSON = ("--json", "--progress", "json")


async def test_progress_is_told_as_lines_with_what_was_found_so_far() -> None:
    async with OddUnits({2: holding((0, 9))}).serving() as port:
        options = ("--unit", "1-9", "--no-map", "--timeout-ms", 200)
        code, out, error = await run("probe", "modbus", f"tcp://127.0.0.1:{port}", *options, *JSON)
    assert code == 0, error
    lines = [json.loads(line) for line in error.splitlines()]
    units = [line for line in lines if line["doing"].startswith("looking for unit")]
    assert {line["of"] for line in units} == {9}
    assert [line["done"] for line in units] == sorted({line["done"] for line in units})
    assert (units[0]["found"], units[-1]["found"]) == ([], ["unit 2"])
    assert [one["name"] for one in json.loads(out)["devices"]] == ["unit 2"]


async def test_a_search_ends_when_nobody_reads_its_progress_any_more() -> None:
    odd = OddUnits({1: holding((0, 9))})
    async with odd.serving() as port:
        options = ("--unit", "1-247", "--no-map", "--timeout-ms", 300)
        with command("probe", "modbus", f"tcp://127.0.0.1:{port}", *options, *JSON) as process:
            await until(lambda: len(odd.asked) > 4)
            assert process.stderr is not None
            process.stderr.close()
            await asyncio.to_thread(process.wait, 60)
        assert process.returncode != 0
        assert len({unit for unit, *_ in odd.asked}) < 60


async def test_the_block_of_a_known_device_lacks_its_ledger_number_only(tmp_path: Path) -> None:
    config = tmp_path / "gateway.yaml"
    async with serving(device(3, {0: [0]}, SDM630)) as port:
        url = f"tcp://127.0.0.1:{port}"
        code, out, error = await run("probe", "modbus", url, "--unit", 3, *QUICK, "--json")
    assert code == 0, error
    (block,) = [one["block"] for one in json.loads(out)["devices"]]
    config.write_text(f"{NEW}devices:\n{block}", "utf-8")
    try:
        load_gateway(config, installed())
    except ConfigError as error_:
        problems = list(map(str, error_.problems))
    assert len(problems) == 1
    assert "asset_no" in problems[0]
    config.write_text(config.read_text().replace("asset_no:", "asset_no: M3"), "utf-8")
    (found,) = load_gateway(config, installed()).devices
    assert (found.config.profile, found.connection.unit) == ("meter_sdm630", 3)


async def test_the_block_of_an_unknown_device_says_what_is_missing() -> None:
    async with OddUnits({2: holding((10, 14))}).serving() as port:
        url = f"tcp://127.0.0.1:{port}"
        code, out, error = await run("probe", "modbus", url, "--unit", 2, *QUICK, "--json")
    assert code == 0, error
    (block,) = [one["block"] for one in json.loads(out)["devices"]]
    assert "profile:  # none that is known fits" in block
    (entry,) = yaml.safe_load(block)
    assert (entry["id"], entry["profile"], entry["asset_no"]) == ("unit-2", None, None)
