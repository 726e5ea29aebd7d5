"""The integrator's guide is true: it is played, with units of another library on the line."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_documentation import ROOT
from tests.drivers.opcua.server import AsyncuaServer
from tests.guide.played import Stage, alike, blocks, cut, inline, is_run, line_in, play
from tests.support.waiting import wait_until

PAGE = (ROOT / "docs/unknown-device.md").read_text(encoding="utf-8")
COMMANDS = sum(block.language == "console" for block in blocks(PAGE))

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]  # thirty commands, on a busy machine


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A line, and an empty folder of the person who follows the guide."""
    (folder := tmp_path / "me").mkdir()
    with line_in(tmp_path / "line") as line, AsyncuaServer() as server:
        yield Stage(folder, line, opcua=server.url)


def test_whoever_follows_the_guide_sees_what_it_shows(stage: Stage) -> None:
    played = 0
    for command, page, said in play(PAGE, stage):
        assert alike(cut(said, page)) == alike(page), command
        played += 1
        if is_run(command):
            for device, value in {"oven-3": "185.3", "meter-7": "229.4"}.items():
                wait_until(lambda d=device, v=value: v in console(stage, d), "values")  # type: ignore[misc]
        if played == COMMANDS:  # the gateway is still at work
            for line in inline(PAGE):
                assert (done := stage.done(line)).returncode == 0, (line, done.stdout)
    assert played == COMMANDS > 10


def console(stage: Stage, device: str) -> str:
    """The page of a device."""
    url = f"http://{stage.console}/devices/{device}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def test_the_guide_uses_every_tool_of_an_integrator() -> None:
    typed = "".join(block.text for block in blocks(PAGE) if block.language == "console")
    tools = ("probe", "decode", "points", "check", "test", "run", "device", "read", "watch")
    for tool in (*tools, "trace", "write", "commands"):
        assert f"qulink {tool} " in typed


def test_a_page_that_says_something_else_is_found(stage: Stage) -> None:
    page = "```console\nls /dev/serial/by-id\n```\n\n```text\nusb-another\n```\n"
    ((_, shown, said),) = play(page, stage)
    assert alike(said) == "usb-FTDI_FT232R_A1-if00-port0"
    assert alike(said) != alike(shown)
