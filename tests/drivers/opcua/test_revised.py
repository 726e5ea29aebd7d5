"""What a server makes of what was asked for, where values are lost by it."""

from pathlib import Path

import numpy as np
import pytest

from gateway.drivers.opcua.subscribing.revised import Asked, Revised
from tests.drivers.opcua.conftest import Connect
from tests.drivers.opcua.server import ForeignServer, point

QUICK = Asked(sampling_ms=50, queue=40, publishing_ms=1_000)


def found(
    asked: Asked, sampling_ms: list[float], queue: list[int], publishing_ms: float = 1_000
) -> dict[str, tuple[bool, str]]:
    revised = Revised("g", len(queue), asked, publishing_ms)
    revised.take(np.arange(len(queue)), sampling_ms, queue)
    return {key: (is_loss, words) for key, words, is_loss in revised.notices}


def test_what_is_granted_as_asked_is_no_news() -> None:
    assert not found(QUICK, [50.0] * 3, [40] * 3)


@pytest.mark.parametrize(
    ("asked", "sampling_ms", "queue"),
    [
        (Asked(1_000, 2, 1_000), 1_000.0, 1),  # one value comes between two messages
        (Asked(1_000, 2, 1_000), 1_000.4, 2),  # rounded
        (QUICK, 50.0, 20),  # no reserve, and room enough
        (Asked(0, 1_000, 1_000), 100.0, 1_000),  # as fast as it can, which is not fast
        (QUICK, 40.0, 100),  # more than was asked
        (QUICK, 0.0, 20),  # on change, which is no more often than asked
        (QUICK, 10.0, 40),  # more often: what is over was not asked for
    ],
)
def test_a_difference_that_loses_nothing_is_no_news(
    asked: Asked, sampling_ms: float, queue: int
) -> None:
    assert not found(asked, [sampling_ms], [queue])


def test_a_short_queue_says_what_is_lost_and_what_to_set() -> None:
    ((is_loss, words),) = found(QUICK, [50.0] * 3, [40, 5, 40]).values()
    assert is_loss
    assert words == (
        "the server keeps 5 values of 1 of 3 items of group 'g' between two messages, where up to "
        "20 may come: what is over is lost; set publishing_ms to 250, or have the server's limit "
        "of an item's queue raised"
    )


def test_a_queue_of_one_says_that_nothing_marks_its_losses() -> None:
    ((is_loss, words),) = found(QUICK, [50.0], [1]).values()
    assert is_loss
    assert "keeps 1 value of the item of group 'g'" in words
    assert "with a queue of 1 nothing marks it; set publishing_ms to 50" in words


def test_a_server_that_samples_on_change_needs_the_queue_that_was_asked_for() -> None:
    assert "queue g" in found(Asked(0, 1_000, 1_000), [0.0], [1])
    assert not found(Asked(0, 1_000, 1_000), [0.0], [1_000])


def test_slow_sampling_says_how_slow() -> None:
    ((is_loss, words),) = found(QUICK, [250.0, 50.0], [40, 40]).values()
    assert is_loss
    assert words.startswith(
        "the server looks at 1 of 2 items of group 'g' every 250 ms, not every 50: changes between "
        "are lost"
    )


def test_slow_publishing_alone_loses_nothing() -> None:
    asked = QUICK._replace(queue=200)
    ((is_loss, words),) = found(asked, [50.0], [200], publishing_ms=5_000).values()
    assert not is_loss
    assert words == (
        "the server sends group 'g' every 5,000 ms, not every 1,000: its values come later"
    )


def test_an_item_that_is_asked_for_again_changes_what_stands() -> None:
    revised = Revised("g", 2, QUICK, 1_000)
    revised.take(np.arange(2), [50.0, 50.0], [1, 40])
    assert revised.notices
    revised.take(np.array([0]), [50.0], [40])
    assert not revised.notices


async def test_a_foreign_server_that_queues_one_value_is_noticed(
    pki: Path, driver_for: Connect
) -> None:
    """Of node-opcua; it never looks more often than every 50 ms."""
    with ForeignServer(pki, mostQueued=1, items=2) as server:
        driver = driver_for(server.connection(publishing_ms=1_000, sampling_ms=20))
        await driver.connect()
        assert not driver.notices()
        items = [point("Item.0", "float64"), point("none", "float64")]
        await driver.subscribe("g", items, 1_000)
        notices = {one.key: one for one in driver.notices()}
        assert "keeps 1 value of 1 of 2 items" in notices["queue g"].words
        assert "every 50 ms, not every 20" in notices["sampling g"].words
        await driver.close()
        assert not driver.notices()
        server.kill()
        server.start(mostQueued=5_000)
        await driver.connect()
        await driver.subscribe("g", items, 1_000)
        assert [one.key for one in driver.notices()] == ["sampling g"]
