"""What a city would refuse is refused beforehand; what is hardly meant is a warning."""

import random
from pathlib import Path

import msgspec
import pytest
import yaml

from edge_config.loading.load import load_gateway
from edge_config.mistakes import capacity
from edge_config.mistakes.problems import ConfigError
from edge_config.models import limits
from gateway.city.ingest.admission import Enrolment, objection
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import Reason
from gateway.drivers.registry import installed
from gateway.wire.messages import DeviceState, State, encode_message
from tests.edge.plant import USCC
from tests.support.command import qulink

DOCS = Path(__file__).parents[2] / "docs/limits.md"


def written(folder: Path, tags: int = 2, devices: int = 2, **first: object) -> Path:
    group = {"name": "g", "tags": [{"name": f"t{i}", "address": f"coil:{i}"} for i in range(tags)]}
    profile = {"name": "p", "driver": "modbus", "source": "sensor", "groups": [group]}
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC},
        "profiles": [profile],
        "devices": [
            {
                "id": f"d{i}",
                "driver": "modbus",
                "profile": "p",
                "asset_no": f"M{i}",
                "connection": {"host": "10.0.0.1", "unit": i + 1},
            }
            for i in range(devices)
        ],
        "northbound": [{"url": "mqtt://127.0.0.1"}],
    }
    document["devices"][0] |= first  # type: ignore[index]
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("MAX_DEVICES", "devices: 2 devices; a city takes 1 of one gateway"),
        ("MAX_SCHEMAS", "devices: 2 groups in all devices; a city takes 1 of one gateway"),
        ("MAX_GATEWAY_TAGS", "devices: 4 tags in all devices; a city takes 1 of one gateway"),
        ("MAX_TAGS", "devices.0.profile: group 'g' has 2 tags; a city takes 1; divide it"),
    ],
)
def test_what_the_city_would_refuse_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, said: str
) -> None:
    file = written(tmp_path)
    load_gateway(file, installed())
    monkeypatch.setattr(capacity, limit, 1)
    with pytest.raises(ConfigError) as caught:
        load_gateway(file, installed())
    assert said in str(caught.value)


def test_a_state_that_the_city_would_refuse_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path)
    size = limits.STATE_BYTES + 2 * (limits.STATE_DEVICE_BYTES + len("d0"))
    monkeypatch.setattr(capacity, "MAX_STATE_BYTES", size)
    load_gateway(file, installed())
    monkeypatch.setattr(capacity, "MAX_STATE_BYTES", size - 1)
    with pytest.raises(ConfigError) as caught:
        load_gateway(file, installed())
    (problem,) = caught.value.problems
    assert problem.line == file.read_text().splitlines().index("devices:") + 1
    assert problem.message == (
        f"the state of 2 devices takes up to {size} bytes, and a city takes {size - 1} of a "
        "message; shorten their ids, or divide the gateway"
    )


def test_a_state_that_no_message_can_carry_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, tags=1, devices=60)
    document = yaml.safe_load(file.read_text())
    document["northbound"][0]["max_frame_bytes"] = 4_096
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError, match="and 'max_frame_bytes' allows 4,096 of a message"):
        load_gateway(file, installed())


@pytest.mark.parametrize("link", ["up", "down", "starting"])
def test_what_a_state_takes_is_not_underrated(link: str) -> None:
    for reason in Reason:
        device = DeviceState(link, reason.code if link == "down" else "", 9_223_372_036_854)
        names = ["x" * 63, "y" * 63]
        most = 2**63 - 1
        state = State(
            True,
            9_223_372_036_854,
            "f" * 16,
            most,
            most,
            most,
            "1.22.333.dev4444+g55555555",
            dict.fromkeys(names, device),
            9_223_372_036_854,
            True,
        )
        without = msgspec.structs.replace(state, devices={})
        head = len(encode_message(without))
        assert head <= limits.STATE_BYTES
        assert len(encode_message(state)) - head <= 2 * (limits.STATE_DEVICE_BYTES + 63)


def test_a_group_that_cannot_be_described_is_refused(tmp_path: Path) -> None:
    """Its values would be given up at run time, for want of a message that describes them."""
    file = written(tmp_path, tags=200)
    document = yaml.safe_load(file.read_text())
    document["northbound"][0]["max_frame_bytes"] = 4_096
    chance = random.Random(7)
    for tag in document["profiles"][0]["groups"][0]["tags"]:
        tag["label_en"] = chance.randbytes(32).hex()
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(ConfigError) as caught:
        load_gateway(file, installed())
    assert "profile: the names, units and labels of group 'g' take some" in str(caught.value)
    for tag in document["profiles"][0]["groups"][0]["tags"]:
        tag["label_en"] = "the same words on every machine, which compress well"
    file.write_text(yaml.safe_dump(document))
    assert len(load_gateway(file, installed()).devices) == 2


def test_a_group_of_too_many_machines_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a collector in front of many: each tag may name the machine that it belongs to."""
    file = written(tmp_path, devices=1)
    text = file.read_text()
    file.write_text(text.replace("name: t0", "name: t0\n      asset_no: N1", 1))
    monkeypatch.setattr(capacity, "MAX_MACHINES", 2)
    assert len(load_gateway(file, installed()).devices) == 1
    monkeypatch.setattr(capacity, "MAX_MACHINES", 1)
    with pytest.raises(ConfigError, match="group 'g' belong to 2 machines; a city takes 1"):
        load_gateway(file, installed())


def test_a_gateway_that_sends_nowhere_may_be_as_large_as_it_likes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = yaml.safe_load(written(tmp_path).read_text())
    del document["northbound"]
    (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(document))
    monkeypatch.setattr(capacity, "MAX_TAGS", 1)
    assert len(load_gateway(tmp_path / "gateway.yaml", installed()).devices) == 2


@pytest.mark.parametrize("name", sorted(limits.RESERVED_TAGS))
def test_a_name_that_the_city_refuses_is_refused(tmp_path: Path, name: str) -> None:
    machine = Equipment(USCC, "1", "M0")
    tag = Tag(name, Kind.BOOL, "", 0, "value", "", "")
    schema = Schema("d0", "g", "p", "sensor", False, (machine,), (tag,), 1_000)
    assert objection(schema, Enrolment("gw", USCC, "1")) is not None
    file = written(tmp_path)
    file.write_text(file.read_text().replace("name: t0", f"name: {name}"))
    with pytest.raises(ConfigError, match=r"tags\.0\.name: 'time' is a word of the stores"):
        load_gateway(file, installed())


def test_one_unit_under_two_asset_numbers_is_a_warning(tmp_path: Path) -> None:
    file = written(tmp_path, connection={"host": "10.0.0.1", "unit": 2})
    done = qulink("check", str(file))
    assert done.returncode == 0
    assert done.stdout.startswith(f"{file} is good")
    warning = next(line for line in done.stderr.splitlines() if line.startswith("warning: "))
    assert "devices.1.asset_no: device 'd1' reads the same values as 'd0'" in warning
    assert qulink("check", str(written(tmp_path))).stderr == ""


def test_the_page_of_limits_says_the_same() -> None:
    page = DOCS.read_text()
    for said in (
        f"256 KiB, {limits.MAX_DEVICES:,} devices",
        f"{limits.MAX_TAGS:,} tags, {limits.MAX_MACHINES:,} machines",
        f"texts of {limits.MAX_LABEL} characters",
        f"{limits.MAX_SCHEMAS:,} with {limits.MAX_GATEWAY_TAGS:,} tags in all",
    ):
        assert said in page, said
