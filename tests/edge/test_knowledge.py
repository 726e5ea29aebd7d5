"""What devices have taught is kept over restarts, and under their configuration only."""

import logging
from pathlib import Path
from typing import Any

import pytest

from edge_config.models.gateway import DeviceConfig
from gateway.core.schema import Kind
from gateway.drivers.api import Point
from gateway.edge.device.knowledge.keeper import KnowledgeKeeper, path_beside
from gateway.edge.device.model import DeviceModel, GroupModel
from tests.edge.plant import device_model

DEVICES = {"d", "e", "f"}


class Plan:
    """A plan that knows what it is told."""

    def __init__(self, knowledge: Any = None) -> None:
        self.knowledge = knowledge

    def recall(self, knowledge: Any) -> None:
        if knowledge == "junk":
            raise ValueError("it is junk")
        self.knowledge = knowledge


def model(unit: int = 1, host: str = "plc", device: str = "d") -> DeviceModel:
    connection = {"host": host, "unit": unit}
    config = DeviceConfig(id=device, driver="x", profile="p", asset_no="M", connection=connection)
    return device_model(config, host)


def group(*addresses: str, name: str = "g") -> GroupModel:
    points = tuple(Point(one, Kind.INT64, one) for one in addresses or ("a", "b"))
    return GroupModel(name, "poll", 1_000, 0, points, None, None)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return path_beside(tmp_path / "buffer.db")


def recalled(path: Path, device: DeviceModel, of: GroupModel) -> Any:
    """What a fresh plan is told after a restart."""
    plan = Plan()
    KnowledgeKeeper(path, DEVICES).adopt(device, of, plan)
    return plan.knowledge


@pytest.fixture
def written(path: Path) -> Path:
    keeper = KnowledgeKeeper(path, DEVICES)
    keeper.adopt(model(), group(), Plan(["b rests"]))
    keeper.adopt(model(device="e"), group(), Plan(["a rests"]))
    keeper.save()
    return path


def test_a_restart_goes_on_with_what_was_known(written: Path) -> None:
    assert recalled(written, model(), group()) == ["b rests"]
    assert recalled(written, model(device="e"), group()) == ["a rests"]
    assert written.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("device", "of"),
    [
        (model(unit=2), group()),
        (model(host="plc2"), group()),
        (model(), group("a", "c")),
        (model(), group("a")),
        (model(), group(name="h")),
        (model(device="f"), group()),
    ],
)
def test_it_is_forgotten_under_another_configuration(
    written: Path, device: DeviceModel, of: GroupModel
) -> None:
    """Also where the file is a copy of another time."""
    assert recalled(written, device, of) is None


def test_what_is_not_connected_yet_is_not_forgotten(written: Path) -> None:
    keeper = KnowledgeKeeper(written, DEVICES)
    keeper.adopt(model(), group(), Plan())
    keeper.save()
    assert recalled(written, model(device="e"), group()) == ["a rests"]


def test_devices_that_are_gone_or_begin_afresh_are_forgotten(written: Path) -> None:
    keeper = KnowledgeKeeper(written, {"d"})
    keeper.forget("d")
    keeper.save()
    assert recalled(written, model(), group()) is None
    assert recalled(written, model(device="e"), group()) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"format":99,"devices":{}}', b"\0" * 99])
def test_a_broken_file_is_said_and_learnt_anew(
    written: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    written.write_bytes(content)
    keeper = KnowledgeKeeper(written, DEVICES)
    assert "it is learnt anew" in caplog.text
    plan = Plan()
    keeper.adopt(model(), group(), plan)
    assert plan.knowledge is None
    plan.knowledge = ["c rests"]
    keeper.save()
    assert recalled(written, model(), group()) == ["c rests"]


def test_a_torn_attempt_beside_it_changes_nothing(written: Path) -> None:
    """A power cut while it is written leaves the old file and a part of the new one."""
    written.with_name(written.name + ".new").write_bytes(b'{"for')
    assert recalled(written, model(), group()) == ["b rests"]


def test_knowledge_that_a_plan_refuses_costs_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = KnowledgeKeeper(path, DEVICES)
    keeper.adopt(model(), group(), Plan("junk"))
    keeper.save()
    assert recalled(path, model(), group()) is None
    assert "is of no use: it is junk" in caplog.text


def test_a_disk_that_refuses_is_said_once_and_its_end_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    keeper = KnowledgeKeeper(tmp_path / "gone" / "buffer.db.learnt", DEVICES)
    keeper.adopt(model(), group(), Plan(["b rests"]))
    for _ in range(3):
        keeper.save()
    assert len(caplog.messages) == 1
    (tmp_path / "gone").mkdir()
    keeper.save()
    assert caplog.messages[1:] == ["what was learnt of devices is written again"]


def test_nothing_is_written_while_nothing_changes(written: Path) -> None:
    keeper = KnowledgeKeeper(written, DEVICES)
    for device in ("d", "e"):
        keeper.adopt(model(device=device), group(), Plan())
    before = written.stat().st_ino
    keeper.save()
    assert written.stat().st_ino == before


def test_a_plan_that_cannot_learn_is_passed_over(path: Path) -> None:
    KnowledgeKeeper(path, DEVICES).adopt(model(), group(), object())
