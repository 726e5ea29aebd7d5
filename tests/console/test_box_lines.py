"""Lines with their load: what is measured, and what the configuration needs of them."""

import re
from pathlib import Path

import pytest

from gateway.edge.live.console.pages.lines import SPAN_S, Shares
from gateway.edge.live.records import LinkLoad
from tests.console.box import box, device, meter
from tests.support.chromium import chromium

CARD = "[...document.querySelectorAll('section.card')].find(c => c.innerText.includes('{}'))"


def test_shares_are_of_the_time_since_somebody_looked() -> None:
    now = [100.0]
    shares, load = Shares(lambda: now[0]), LinkLoad("line", ("a", "b"), turns=2)
    assert shares.of(load) is None
    load.busy_s, load.waited_s, now[0] = 4.0, 1.0, 104.0
    share = shares.of(load)
    assert share is not None
    assert (share.busy, share.waited) == (0.5, 0.25)  # of two turns
    now[0] += SPAN_S + 1  # nobody looked: what was seen then says nothing of now
    assert shares.of(load) is None
    now[0] += 1.0
    assert shares.of(load) == (0.0, 0.0)
    load.busy_s, now[0] = 0.0, now[0] + 1  # another line of this name
    assert shares.of(load) is None


@pytest.mark.timeout(300)
async def test_a_line_says_how_busy_it_is_and_must_be(tmp_path: Path) -> None:
    async with meter() as port, meter() as slow:
        devices = (
            device("press-1", ["holding:10"], port=port),
            device("press-2", ["holding:11", "holding:900"], port=port),
            # 24 characters of 11 bits at 300 baud take 0.88 s, and are asked for each 0.2 s.
            device("meter-1", ["holding:0:float32"], port=slow, baud=300),
        )
        with box(tmp_path, *devices) as base:
            async with chromium() as page:
                await page.viewport(820, 1180)
                for language, words in (("zh", ("实测占用", "每 1,000 ms")), ("en", ("of each",))):
                    await page.goto(f"{base}/lines?lang={language}")
                    await page.until(f"/\\d %/.test({CARD.format(port)}.innerText)")
                    text = await page.evaluate("document.body.innerText")
                    assert all(one in text for one in words)
                    assert await page.evaluate("document.documentElement.scrollWidth") <= 820
                    assert await page.barriers() == []
                shared = await page.evaluate(f"{CARD.format(port)}.innerText")
                assert "press-1" in shared
                assert "press-2" in shared
                assert "write the baud rate" in shared
                assert "keeps up" in shared
                alone = await page.evaluate(f"{CARD.format(slow)}.innerText")
                assert re.search(r"\n4,4\d\d ms of each 1,000 ms", alone)
                assert "interval_ms" in alone  # a proposal
                assert page.problems == []
