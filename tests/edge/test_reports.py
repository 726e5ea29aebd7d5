"""The log of a device: few lines, however often it comes and goes."""

import logging

import pytest

from edge_config.models.gateway import DeviceConfig
from gateway.core.status import Reason
from gateway.drivers.extras import Notice
from gateway.edge.device.standing.reports import MOST_CAUSES, Reports
from gateway.retry import SOUND_S
from tests.edge.plant import device_model


@pytest.fixture
def reports(caplog: pytest.LogCaptureFixture) -> Reports:
    caplog.set_level(logging.INFO)
    config = DeviceConfig(id="d", driver="x", profile="p", asset_no="M", connection={})
    return Reports(device_model(config))


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


def test_what_loses_values_is_said_when_it_begins_and_when_it_ends(
    reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    short = Notice("queue g", "the server keeps 1 value", is_loss=True)
    other = Notice("queue h", "the server keeps 2 values", is_loss=True)
    learnt = Notice("pause", "it needs a pause")
    for notices in ([], [learnt], [learnt, short], [short], [other, short], [other], [], [short]):
        for _ in range(3):
            reports.note(notices)
    assert caplog.messages == [
        "device d at plc:502: the server keeps 1 value",
        "device d at plc:502: the server keeps 2 values",
        "device d at plc:502: no longer: the server keeps 1 value",
        "device d at plc:502: no longer: the server keeps 2 values",
        "device d at plc:502: the server keeps 1 value",
    ]


def test_a_changed_cause_of_a_loss_is_said_once(
    reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    """The plug is back, but the server does not trust us: that is what must be put right."""
    for now_s in range(0, 40, 4):
        reports.lost(Reason.DISCONNECTED, f"no route, tried from port {5000 + now_s}", now_s)
        reports.lost(Reason.REFUSED, "the server must trust our certificate", now_s + 1)
        reports.lost(Reason.REFUSED, "its certificate is not trusted", now_s + 2)
    reports.serves(60.0)
    reports.lost(Reason.REFUSED, "its certificate is not trusted", 90.0)
    still = "device d at plc:502 is still lost, now for another cause (refused)"
    assert caplog.messages == [
        "device d at plc:502 is lost (disconnected): no route, tried from port 5000",
        f"{still}: the server must trust our certificate",
        f"{still}: its certificate is not trusted",
        "device d at plc:502 is back after 30 failures in 60.0 s",
        "device d at plc:502 is lost (refused): its certificate is not trusted",
    ]


def test_the_same_fault_with_other_bytes_is_no_other_cause(
    reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    for now_s, content in enumerate(("5c030c0000", "d8030c0000", "ff030c0dfa")):
        reports.lost(Reason.PROTOCOL, f"17 bytes are no Modbus TCP: {content}", float(now_s))
    assert len(caplog.messages) == 1


def test_a_device_that_says_something_else_each_time_does_not_fill_the_log(
    reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    for attempt in range(100):
        reports.lost(Reason.DISCONNECTED, "x" * attempt, float(attempt))
    assert len(caplog.messages) == MOST_CAUSES


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


def test_what_is_odd_about_a_device_is_said_once(
    reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(100):
        reports.remark("it ends each connection after one answer")
        reports.remark(f"remark {number}")
    assert caplog.messages[0] == "device d at plc:502: it ends each connection after one answer"
    assert len(caplog.messages) == MOST_CAUSES


def test_long_words_of_a_device_do_not_hold_up_the_gateway(reports: Reports) -> None:
    """All of these take milliseconds; time that grows with the square of them would be an hour."""
    for words in ("1" * 1_000_000 + "z", "a" * 1_000_000 + "z", "a1" * 500_000 + "z"):
        reports.lost(Reason.REFUSED, words, 0.0)


def test_bytes_and_numbers_of_a_cause_may_differ(
    reports: Reports, caplog: pytest.LogCaptureFixture
) -> None:
    for changing in ("0a ff 17", "ab1c ff 17", "00 ff 9z8"):
        reports.lost(Reason.PROTOCOL, f"wrong answer {changing}", 0.0)
    assert len(caplog.messages) == 2  # the last one has other words
