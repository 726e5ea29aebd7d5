"""Catalogue, profiles, simulators and sample configurations say the same."""

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from edge_config.loading.load import load_city, load_gateway
from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.registry import installed
from simulators.line import Line, Place, lines, meters
from simulators.machines import MANUALS
from simulators.profiles import text

CONFIG = Path(str(files("edge_config")))
SAMPLES = {
    "bearing": "bearing-line.yaml",
    "door": "door-line.yaml",
    "paper": "paper-machine.yaml",
    "fire": "fire-extinguisher-line.yaml",
    "press": "press-line.yaml",
}
CATALOGUE = yaml.safe_load((CONFIG / "samples" / "lines.yaml").read_text(encoding="utf-8"))
RECORDS, METERS = CATALOGUE["lines"], CATALOGUE["meters"]["machines"]


def test_profiles_are_what_the_manuals_say() -> None:
    """Those of the lines; for the others see ``tests/drivers/modbus/test_devices.py``."""
    found = {path.stem: path.read_text("utf-8") for path in (CONFIG / "profiles").glob("*.yaml")}
    wanted = {manual.name: text(manual) for manual in MANUALS.values()}
    assert {name: found.get(name) for name in wanted} == wanted, (
        "run: python -m simulators profiles"
    )


def test_there_are_machines_enough_for_a_city() -> None:
    sizes = {name: len(line.places) for name, line in lines().items()}
    small = {"bearing-small": 4, "press": 2}
    assert sizes == {"bearing": 24, "door": 16, "paper": 12, "fire": 10, **small}


def test_no_port_stands_twice() -> None:
    shared = [port for line in lines().values() for port in (line.modbus_port, line.opcua_port)]
    own = [place.controller_port for line in lines().values() for place in line.places]
    ports = [port for port in (*shared, *own) if port is not None]
    assert len(set(ports)) == len(ports)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["name"])
def test_machines_of_the_catalogue_are_well_described(record) -> None:
    machines = record["machines"]
    for key in ("asset_no", "unit", "node"):
        given = [machine[key] for machine in machines if key in machine]
        assert len(set(given)) == len(given), key
    for machine in machines:
        manual = MANUALS[machine["profile"]]
        assert machine["driver"] == manual.protocol
        assert machine["source"] == manual.source
        assert ("unit" in machine) == (manual.protocol == "modbus")
        assert ("node" in machine) == (manual.protocol == "opcua")
        assert ("controller_port" in machine) == (manual.protocol in ("mc", "s7"))
        assert machine["equipment_class"] == "production"
    assert any(m["key"] for m in machines)


def test_most_lines_have_a_machine_that_only_a_meter_sees() -> None:
    with_meter = [r["name"] for r in RECORDS if any(m["source"] == "sensor" for m in r["machines"])]
    assert with_meter == ["bearing", "door", "paper", "fire"]


def test_every_type_of_machine_stands_somewhere() -> None:
    assert {place.profile for line in lines().values() for place in line.places} == set(MANUALS)


def _where(line: Line, place: Place) -> tuple[object, ...]:
    if place.controller_port is not None:
        return (place.controller_port,)
    if place.node is None:
        return line.modbus_port, place.unit
    return f"opc.tcp://127.0.0.1:{line.opcua_port}/", place.node


def _connected(device: ResolvedDevice) -> tuple[object, ...]:
    config, connection = device.config, device.connection
    if config.driver == "opcua":
        return connection.url, config.parameters["node"]
    return (connection.port, connection.unit) if config.driver == "modbus" else (connection.port,)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_name_the_machines_of_the_catalogue(name: str) -> None:
    loaded = load_gateway(CONFIG / "samples" / SAMPLES[name], installed())
    assert loaded.config.gateway.synthetic
    assert loaded.config.northbound
    assert loaded.config.console is not None
    line = lines()[name]
    assert {(d.config.asset_no, d.config.profile, _connected(d)) for d in loaded.devices} == {
        (place.asset_no, place.profile, _where(line, place)) for place in line.places
    }


def test_the_sample_of_the_meters_names_those_of_the_catalogue() -> None:
    loaded = load_gateway(CONFIG / "samples" / "electricity-meters.yaml", installed())
    named = {(device.config.asset_no, device.connection.meter) for device in loaded.devices}
    assert named == {(one["asset_no"], one["meter"]) for one in METERS}
    assert meters() == tuple(one["meter"] for one in METERS)


def test_the_sample_city_loads_and_says_that_it_demonstrates() -> None:
    assert load_city(CONFIG / "samples" / "city.yaml").demonstration
