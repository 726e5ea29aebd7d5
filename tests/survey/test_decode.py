"""``qulink decode`` against a server of another library, by URL and by configuration."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.points.plant import tags
from tests.support.command import qulink
from tests.support.peers import free_port
from tests.support.waiting import until
from tests.survey.odd_units import OddUnits, holding
from tests.survey.plant import command, device, serving

VOLTAGE = [17_253, 0]  # 229.0
CONFIG = """\
# 电表
gateway: {{id: gw-1, enterprise_uscc: 91330800MA2DGX3Y5B}}
profiles:
  - name: meter
    driver: modbus
    source: sensor
    groups:
      - name: main
        tags:
          - {{name: current, address: "holding:6:uint16"}}
devices:
  - {{id: meter-1, driver: modbus, profile: meter, asset_no: M1,
     connection: {{host: 127.0.0.1, port: {port}, unit: 3}}}}
"""


async def run(*arguments: object, typed: str = "") -> tuple[int, str, str]:
    """A command beside the devices that this process plays."""
    done = await asyncio.to_thread(qulink, *arguments, said=typed)
    return done.returncode, done.stdout, done.stderr


async def test_the_reading_that_the_panel_shows_is_first_and_becomes_a_tag(tmp_path: Path) -> None:
    holes = {0: [0, 1], 4: [*VOLTAGE, 2290]}
    async with serving(device(3, holes, {0: [0]})) as port:
        url = f"tcp://127.0.0.1:{port}?unit=3"
        code, out, error = await run("decode", url, "--count", 8, "--shows", "229.0 V", "--json")
        assert code == 0, error
        rows = json.loads(out)
        assert (rows[0]["address"], rows[0]["shows"]) == ("holding:4:float32", 229.0)
        assert ("holding:6:uint16", 0.1) in [(row["address"], row["scale"]) for row in rows]
        config = tmp_path / "gateway.yaml"
        config.write_text(CONFIG.format(port=port), "utf-8")
        wanted = ("decode", config, "meter-1", "--count", 8, "--shows", "229.0 V")
        code, out, error = await run(*wanted, "--write", "voltage")
        assert code == 0, error
        assert "wrote voltage (holding:4:float32) into meter-main.csv, gateway.yaml" in out
    (_, voltage) = tags(config, "main")
    assert (voltage.config.name, voltage.config.unit) == ("voltage", "V")
    assert str(voltage.address) == "holding:4:float32"
    assert config.read_text("utf-8").startswith("# 电表\n")


@pytest.mark.parametrize(("notation", "shown"), [("from_1", "holding:5"), ("hex", "holding:4")])
async def test_a_tag_is_written_in_the_notation_of_its_profile(
    tmp_path: Path, notation: str, shown: str
) -> None:
    config = tmp_path / "gateway.yaml"
    async with serving(device(3, {4: [*VOLTAGE, 2290]}, {0: [0]})) as port:
        text = CONFIG.format(port=port).replace(
            "name: meter\n", f"name: meter\n    notation: {notation}\n"
        )
        text = text.replace("unit: 3}", "unit: 3, order: DCBA}")
        config.write_text(text, "utf-8")
        wanted = ("decode", config, "meter-1", "--address", 4, "--count", 3, "--shows", "229.0 V")
        code, out, error = await run(*wanted, "--write", "voltage")
    assert code == 0, error
    assert f"wrote voltage ({shown}:float32:ABCD) into" in out
    assert str(tags(config, "main")[1].address) == "holding:4:float32:ABCD"


async def test_a_running_gateway_reads_the_range_itself(tmp_path: Path) -> None:
    odd = OddUnits({3: holding((0, 20))})
    async with odd.serving() as port:
        config = tmp_path / "gateway.yaml"
        config.write_text(CONFIG.format(port=port), "utf-8")
        with command("run", config):
            await until((tmp_path / "qulink-buffer.sock").exists)
            await until(lambda: odd.asked)
            wanted = ("decode", config, "meter-1", "--address", 10, "--count", 4, "--json")
            code, out, error = await run(*wanted, "--shows", 12)
        assert code == 0, error
    assert json.loads(out)[0]["address"] == "holding:12:uint16"
    assert odd.connections == 1


async def test_each_look_reads_anew(tmp_path: Path) -> None:
    async with serving(device(1, {0: [2290, 2290]}, {0: [0]})) as port:
        shows = ("--shows", "229.0", "--shows", "230.1")
        url = f"tcp://127.0.0.1:{port}"
        code, _, error = await run("decode", url, "--count", 2, *shows, typed="\n")
        assert code == 1
        assert "no reading of these registers agrees with the panel" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("udpx://127.0.0.1",), "is no way to Modbus units; write tcp://"),
        (("tcp://127.0.0.1:99999",), "names no host and port"),
        (("tcp://127.0.0.1?units=3",), "units: unknown key; did you mean 'unit'?"),
        (("tcp://127.0.0.1:{port}",), "cannot connect to Modbus unit 1 at 127.0.0.1:{port}"),
        (("tcp://127.0.0.1", "--table", "holdin"), "there is no table 'holdin' to look at"),
        (("tcp://127.0.0.1", "--shows", "1,5"), "a decimal point is '.'"),
        (("tcp://127.0.0.1", "--write", "x"), "--write needs a configuration"),
        (("none.yaml",), "name a device of this configuration, or give a URL"),
        (("opc.tcp://127.0.0.1", "--driver", "opcua"), "qulink read` shows them"),
    ],
)
async def test_mistakes_are_told(arguments: tuple[str, ...], words: str) -> None:
    port = free_port()
    filled = (one.format(port=port) if isinstance(one, str) else one for one in arguments)
    code, out, error = await run("decode", *filled)
    assert (code, out) == (1, "")
    assert "Traceback" not in error
    assert words.format(port=port) in error, error
