"""``qulink check``, ``schema`` and ``drivers`` as an operator runs them, and their documents."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from edge_config.loading.library import BUILT_IN
from edge_config.reference.page import markdown
from edge_config.reference.schema import city_schema, gateway_schema, profile_schema
from gateway.drivers.registry import installed
from tests.config.examples import CITY, GATEWAY, write, write_gateway
from tests.support.command import qulink

ROOT = Path(__file__).parent.parent.parent


def test_check_of_a_right_gateway(tmp_path: Path) -> None:
    write_gateway(tmp_path)
    done = qulink("check", "gateway.yaml", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "gateway.yaml is good: gateway gw-1 of 91330800MA2DGX3Y5B reads 2 devices (modbus) in "
        "2 groups with 4 tags: 4.0 readings a second of polled groups, at most 8.0 values a "
        f"second in all, buffered in {tmp_path}/qulink-buffer.db (quota 1024 MiB), sent to "
        "mqtt://127.0.0.1.\n"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gateway.yaml", "points.csv"]


def test_check_of_a_right_city(tmp_path: Path) -> None:
    write(tmp_path / "city.yaml", CITY + "demonstration: true\n")
    done = qulink("check", "city.yaml", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("city.yaml is good: city 330800 衢州 (Quzhou), broker mqtt://")
    assert "演示数据" in done.stdout


@pytest.mark.parametrize(
    ("definitions", "said"),
    [
        (
            "{headline: ENR-Z}",
            (
                "headline: no definition 'ENR-Z'; there are ENR-A, ENR-B, ENR-C, ENR-D, DIG-A, "
                "SENS, ONL, COV"
            ),
        ),
        (
            "{file: none.yaml}",
            "file: {}/none.yaml: cannot be read: No such file or directory",
        ),
    ],
)
def test_check_of_a_city_whose_definitions_are_wrong(
    definitions: str, said: str, tmp_path: Path
) -> None:
    write(tmp_path / "city.yaml", f"{CITY}definitions: {definitions}\n")
    done = qulink("check", "city.yaml", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"city.yaml:5: definitions.{said.format(tmp_path)}\n"


@pytest.mark.parametrize("case", ["missing_everything", "city_wrong", "table_wrong_types"])
def test_check_of_a_wrong_configuration(case: str) -> None:
    folder = Path(__file__).parent / "bad" / case
    (file,) = [*folder.glob("gateway.yaml"), *folder.glob("city.yaml")]
    done = qulink("check", file.name, folder=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (folder / "expected.txt").read_text(encoding="utf-8")


def test_check_of_a_missing_file(tmp_path: Path) -> None:
    done = qulink("check", "none.yaml", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "none.yaml: cannot be read: No such file or directory\n"


def test_check_imports_no_protocol_library(tmp_path: Path) -> None:
    text = GATEWAY.replace("profiles:", CELL, 1) + ""
    text = text.replace("northbound:", CELL_DEVICE, 1)
    write_gateway(tmp_path, text)
    script = (
        "import sys\n"
        "from edge_config.loading.load import load_gateway\n"
        "from gateway.cli.edge.check_command import check\n"
        "from pathlib import Path\n"
        "check(Path('gateway.yaml'))\n"
        "heavy = {'asyncua', 'pymodbus', 'openpyxl', 'aiomqtt', 'sqlalchemy', 'cryptography'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    summary, heavy = done.stdout.splitlines()
    assert "(modbus, opcua)" in summary
    assert heavy == "[]"


CELL = """\
profiles:
  - {name: cell, driver: opcua, source: sensor, groups: [{name: main, tags: [
      {name: a, address: "nsu=http://m;s=A|float64"}]}]}"""
CELL_DEVICE = """\
  - {id: c, driver: opcua, profile: cell, asset_no: C1, connection: {url: "opc.tcp://h:4840"}}
northbound:"""


def test_drivers() -> None:
    installed_program = Path(sys.executable).parent / "qulink"
    done = subprocess.run(
        [installed_program, "drivers"], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert lines.keys() >= {"mc", "modbus", "opcua", "s7"}
    assert "OPC UA 客户端" in lines["opcua"]
    assert "subscribe, poll" in lines["opcua"]


@pytest.mark.parametrize("site", ["gateway", "city", "profile"])
def test_schema_command_prints_a_schema(site: str) -> None:
    schema = json.loads(qulink("schema", site).stdout)
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False


def wrong_by_schema(schema: dict[str, Any], text: str) -> list[str]:
    errors = Draft202012Validator(schema).iter_errors(yaml.safe_load(text))
    return sorted(error.json_path for error in errors)


INLINE = GATEWAY.replace(
    "        tags_file: points.csv\n",
    "        tags:\n"
    '          - {name: a, address: "holding:0"}\n'
    "          - {name: b, address: {table: coil, address: 1}}\n",
).replace("asset_no: 0012", 'asset_no: "0012"')


def test_schema_accepts_what_the_loader_accepts() -> None:
    assert wrong_by_schema(gateway_schema(installed()), INLINE) == []
    assert wrong_by_schema(city_schema(), CITY) == []


def test_schema_accepts_samples_and_profiles() -> None:
    site, profile = gateway_schema(installed()), profile_schema(installed())
    for file in (ROOT / "edge_config/samples").glob("*-*.yaml"):
        assert wrong_by_schema(site, file.read_text(encoding="utf-8")) == [], file.name
    city = (ROOT / "edge_config/samples/city.yaml").read_text(encoding="utf-8")
    assert wrong_by_schema(city_schema(), city) == []
    for file in BUILT_IN.glob("*.yaml"):
        assert wrong_by_schema(profile, file.read_text(encoding="utf-8")) == [], file.name


def test_schema_of_a_profile_knows_its_driver() -> None:
    text = (BUILT_IN / "meter_sdm630.yaml").read_text(encoding="utf-8")
    wrong = text.replace("controller", "plc").replace("address: input", "adress: input", 1)
    assert wrong_by_schema(profile_schema(installed()), wrong) != []


@pytest.mark.parametrize(
    ("right", "wrong", "path"),
    [
        ("host: 127.0.0.1}", "hst: 127.0.0.1}", "$.devices[0].connection"),
        ("unit: 2", "unit: 300", "$.devices[1].connection.unit"),
        ("table: coil", "table: coal", "$.profiles[0].groups[0].tags[1].address"),
        ("driver: modbus", "driver: modbos", "$.profiles[0].driver"),
        ("interval_ms: 500", "interval_ms: 1", "$.profiles[0].groups[0].interval_ms"),
    ],
)
def test_schema_knows_the_drivers_models(right: str, wrong: str, path: str) -> None:
    found = wrong_by_schema(gateway_schema(installed()), INLINE.replace(right, wrong, 1))
    assert path in found


def test_reference_page_is_current() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == markdown(installed()), "run: qulink schema reference > docs/configuration.md"
    assert qulink("schema", "reference").stdout == page


def test_every_key_has_a_description() -> None:
    for schema in (gateway_schema(installed()), city_schema()):
        for model in [schema, *schema["$defs"].values()]:
            for key, value in model.get("properties", {}).items():
                assert value.get("description"), f"{model.get('title')}.{key}"
