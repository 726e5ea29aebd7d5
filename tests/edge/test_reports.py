"""The log of a device: few lines, however often it comes and goes."""

import logging

import pytest

from edge_config.models.gateway import DeviceConfig
from gateway.core.status import Reason
from gateway.edge.device.model import DeviceModel
from gateway.edge.device.reports import Reports
from gateway.retry import SOUND_S


@pytest.fixture
def reports(caplog: pytest.LogCaptureFixture) -> Reports:
    caplog.set_level(logging.INFO)
    config = DeviceConfig(id="d", driver="x", profile="p", asset_no="M", connection={})
    return Reports(DeviceModel(config, "plc:502", "p"))


def test_a_loss_is_one_line_and_so_is_its_end(
    reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    reports.serves(0.0)
    for now_s in (20.0, 21.0, 23.0):
        reports.lost(Reason.TIMEOUT, "no answer in time", now_s)
    for now_s in (27.5, 28.0):
        reports.serves(now_s)
    assert caplog.messages == [
        "device d at plc:502 is lost (timeout): no answer in time",
        "device d at plc:502 is back after 3 failures in 7.5 s",
    ]


def test_a_device_that_comes_and_goes_is_back_when_it_stays(
    reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    now_s = 0.0
    for _ in range(50):
        reports.serves(now_s)
        reports.bug(ValueError())
        reports.lost(Reason.DISCONNECTED, "hung up", now_s + 1)
        now_s += 2
    reports.unclosed()
    reports.serves(now_s)
    reports.serves(now_s + SOUND_S - 0.1)
    assert [line.split(" ", 3)[-1] for line in caplog.messages] == [
        "driver x has a bug; the device is tried again later",
        "plc:502 is lost (disconnected): hung up",
    ]
    reports.serves(now_s + SOUND_S)
    assert caplog.messages[2:] == ["device d at plc:502 is back after 50 failures in 99.0 s"]
