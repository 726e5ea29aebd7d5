"""Configurations that are right, and what becomes of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

import edge_config
from edge_config.loading.library import BUILT_IN, built_in_names
from edge_config.loading.load import ConfigError, load_city, load_gateway, load_node
from edge_config.loading.site import site_of
from edge_config.loading.specs import DriverModels
from gateway.core.schema import Kind
from gateway.drivers.registry import installed
from gateway.drivers.spec import DriverSpec
from tests.config.examples import CITY, GATEWAY, write, write_gateway

SAMPLES = Path(edge_config.__file__).parent / "samples"


class Asked(Mapping[str, DriverModels]):
    """The installed drivers, noting which were looked up."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> DriverSpec:
        self.names.add(name)
        return installed()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(installed())

    def __len__(self) -> int:
        return len(installed())

    def __contains__(self, name: object) -> bool:
        return name in list(installed())


def test_gateway_is_resolved(tmp_path: Path) -> None:
    loaded = load_gateway(write_gateway(tmp_path), installed())
    first, second = loaded.devices
    assert (first.config.id, first.config.asset_no) == ("press-1", "0012")
    assert (first.connection.unit, second.connection.unit) == (1, 2)
    (group,) = first.groups
    assert (group.name, group.interval_ms, group.mode) == ("fast", 500, "poll")
    assert [tag.config.name for tag in group.tags] == ["speed", "stroke"]
    assert installed()["modbus"].kind(group.tags[0].address) is Kind.FLOAT32
    assert group.tags[1].config.scale == 0.1
    assert first.profile.source == "controller"


def test_devices_of_a_profile_share_its_groups(tmp_path: Path) -> None:
    first, second = load_gateway(write_gateway(tmp_path), installed()).devices
    assert first.groups is second.groups


def test_only_named_drivers_are_looked_up(tmp_path: Path) -> None:
    asked = Asked()
    load_gateway(write_gateway(tmp_path), asked)
    assert asked.names == {"modbus"}


def test_driver_that_cannot_be_imported_is_a_problem(tmp_path: Path) -> None:
    class Broken(Asked):
        def __getitem__(self, name: str) -> DriverSpec:
            raise ImportError("No module named 'protocol'")

    with pytest.raises(ConfigError, match="driver 'modbus' cannot be loaded: No module named"):
        load_gateway(write_gateway(tmp_path), Broken())


def test_paths_are_relative_to_the_file_that_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "profiles").mkdir()
    profile = yaml.safe_load(GATEWAY)["profiles"][0]
    write(tmp_path / "profiles" / "press.yaml", yaml.safe_dump(profile))
    body = yaml.safe_load(GATEWAY) | {"profiles": [], "profile_files": ["profiles/press.yaml"]}
    body["devices"][0]["asset_no"] = "0012"
    write_gateway(tmp_path / "profiles")
    write(tmp_path / "gateway.yaml", yaml.safe_dump(body))
    monkeypatch.chdir(tmp_path)
    loaded = load_gateway(Path("gateway.yaml"), installed())
    (north,) = loaded.config.northbound
    assert north.password
    assert north.password.file == tmp_path / "secret.txt"
    assert loaded.config.buffer.path == tmp_path / "qulink-buffer.db"
    assert loaded.devices[0].profile.groups[0].tags_file == tmp_path / "profiles" / "points.csv"
    assert len(loaded.devices[0].groups[0].tags) == 2


def test_paths_of_a_drivers_connection_are_absolute(tmp_path: Path) -> None:
    text = """
gateway: {id: gw-1, enterprise_uscc: 91330800MA2DGX3Y5B}
profiles:
  - {name: cell, driver: opcua, source: sensor, groups: [{name: main, tags: [
      {name: a, address: "nsu=http://m;s=A|float64"}]}]}
devices:
  - {id: c, driver: opcua, profile: cell, asset_no: C1, connection: {url: "opc.tcp://h:4840"}}
"""
    (device,) = load_gateway(write(tmp_path / "g.yaml", text), installed()).devices
    assert device.connection.certificate_dir == tmp_path / "qulink-certificates"
    assert device.groups[0].mode == "subscribe"


def test_city_paths(tmp_path: Path) -> None:
    config = load_city(write(tmp_path / "city.yaml", CITY))
    assert config.data_dir == tmp_path / "data"
    assert config.store.type == "embedded"
    assert config.store.path == tmp_path / "data" / "telemetry.db"
    assert config.node.type == "embedded"
    assert config.node.path == tmp_path / "data" / "node.db"
    assert config.broker.password_file == tmp_path / "passwd"


def test_parameters_stand_in_the_addresses_of_their_device(tmp_path: Path) -> None:
    text = GATEWAY.replace("127.0.0.1}\n", "127.0.0.1}\n    parameters: {base: '100'}\n", 1)
    text = text.replace("unit: 2}\n", "unit: 2}\n    parameters: {base: '200'}\n")
    points = "name,address\nspeed,holding:{base}\n"
    loaded = load_gateway(write_gateway(tmp_path, text, points), installed())
    addresses = [device.groups[0].tags[0].address.address for device in loaded.devices]
    assert addresses == [100, 200]


def test_anchors_and_merge_keys(tmp_path: Path) -> None:
    text = GATEWAY.replace("  - id: press-1\n", "  - &one\n    id: press-1\n")
    head, _, tail = text.partition("  - id: press-2\n")
    merged = "  - {<<: *one, id: press-2, asset_no: P-2}\n"
    tail = tail[tail.index("northbound") :]
    first, second = load_gateway(write_gateway(tmp_path, head + merged + tail), installed()).devices
    assert (first.config.asset_no, second.config.asset_no) == ("0012", "P-2")
    assert second.connection == first.connection


def test_same_name_in_file_wins_over_built_in(tmp_path: Path) -> None:
    built_in = tmp_path / "built-in"
    built_in.mkdir()
    other = yaml.safe_load(GATEWAY)["profiles"][0] | {"source": "sensor"}
    write(built_in / "press.yaml", yaml.safe_dump(other))
    loaded = load_gateway(write_gateway(tmp_path), installed(), built_in)
    assert loaded.devices[0].profile.source == "controller"


def test_built_in_profile_need_not_be_listed(tmp_path: Path) -> None:
    profile = yaml.safe_load(GATEWAY)["profiles"][0]
    built_in = tmp_path / "built-in"
    built_in.mkdir()
    write_gateway(built_in)
    write(built_in / "press.yaml", yaml.safe_dump(profile))
    head, tail = GATEWAY.split("profiles:")[0], GATEWAY[GATEWAY.index("devices:") :]
    loaded = load_gateway(write(tmp_path / "g.yaml", head + tail), installed(), built_in)
    assert loaded.devices[0].profile.name == "press"


@pytest.mark.parametrize("name", built_in_names())
def test_built_in_profile_is_right(name: str, tmp_path: Path) -> None:
    driver = yaml.safe_load((BUILT_IN / f"{name}.yaml").read_text(encoding="utf-8"))["driver"]
    special = {"opcua": {"url": "opc.tcp://h"}, "mc": {"host": "h", "port": 5007}}
    special["dlt645"] = {"host": "h", "port": 9, "meter": "1"}
    connection = special.get(driver, {"host": "h"})
    device = {
        "id": "d",
        "driver": driver,
        "profile": name,
        "asset_no": "A1",
        "connection": connection,
        "parameters": parameters_of(name),
    }
    body = {**yaml.safe_load(GATEWAY.partition("\n")[0]), "devices": [device]}
    loaded = load_gateway(write(tmp_path / "g.yaml", yaml.safe_dump(body)), installed())
    assert loaded.devices[0].profile.name == name
    assert loaded.devices[0].groups[0].tags


def parameters_of(name: str) -> dict[str, str]:
    text = (BUILT_IN / f"{name}.yaml").read_text(encoding="utf-8")
    return {"node": "Machine"} if "{node}" in text else {}


def test_there_are_built_in_profiles() -> None:
    assert built_in_names()


@pytest.mark.parametrize(
    "file", [path for path in sorted(SAMPLES.glob("*.yaml")) if path.stem != "lines"], ids=str
)
def test_sample_is_right(file: Path) -> None:
    if site_of(file) == "city":
        assert load_city(file).city.name_zh
    elif site_of(file) == "prefix":
        assert load_node(file).data_dir.is_absolute()
    else:
        loaded = load_gateway(file, installed())
        assert loaded.devices
        assert loaded.config.gateway.synthetic, "samples point at simulators"


def test_there_are_samples() -> None:
    assert list(SAMPLES.glob("*.yaml"))


def test_a_file_for_the_other_place_is_one_problem(tmp_path: Path) -> None:
    city = write(tmp_path / "city.yaml", CITY)
    with pytest.raises(ConfigError) as caught:
        load_gateway(city, installed())
    assert str(caught.value) == f"{city}:1: city: this file is for a city; 'qulink city' runs it"
    gateway = write_gateway(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_city(gateway)
    assert (
        str(caught.value) == f"{gateway}:1: gateway: this file is for an edge; 'qulink run' runs it"
    )


def test_a_profile_alone_is_called_one() -> None:
    with pytest.raises(ConfigError, match="is a profile; check the file of the gateway that"):
        site_of(BUILT_IN / "face_grinder.yaml")
