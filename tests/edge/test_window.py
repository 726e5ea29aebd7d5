"""When sending begins anew, told from times alone."""

from gateway.edge.northbound.window import Window

TIMEOUT_MS = 1_000


def three_on_their_way() -> Window:
    window = Window(size=8, timeout_ms=TIMEOUT_MS)
    for number in (1, 2, 3):
        window.send(number, number, 10.0)
    return window


def test_progress_begins_the_wait_anew() -> None:
    window = three_on_their_way()
    window.acknowledge(1, (), 10.9)
    assert not window.overdue(11.8)
    assert window.overdue(11.9)


def test_an_acknowledgement_that_says_nothing_new_is_no_progress() -> None:
    window = three_on_their_way()
    window.acknowledge(0, (), 10.9)
    assert window.overdue(11.0)


def test_what_goes_on_behind_a_missing_message_is_no_progress_for_it() -> None:
    window = three_on_their_way()
    window.acknowledge(0, ((2, 2),), 10.9)
    assert not window.overdue(10.99)
    assert window.overdue(11.0)
