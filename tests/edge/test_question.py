"""The question that goes before the frames: when it is asked, and when its answer is missed."""

from gateway.edge.northbound.acks.question import PATIENCE_S, Question


def test_it_is_asked_at_once_and_again_after_a_while() -> None:
    one = Question(repeat_ms=30_000)
    assert not one.is_due(0.0)
    assert one.wait_s(0.0) is None
    one.open()
    assert one.is_due(0.0)
    one.asked(7, 0.0)
    assert not one.is_due(29.9)
    assert one.wait_s(0.0) == PATIENCE_S
    assert one.wait_s(PATIENCE_S) == 30 - PATIENCE_S
    assert one.is_due(30.0)


def test_only_the_newest_question_can_be_answered() -> None:
    one = Question(30_000)
    one.open()
    assert not one.is_answered_by(0)
    one.asked(7, 0.0)
    one.asked(9, 30.0)
    assert not one.is_answered_by(7)
    assert not one.is_answered_by(0)
    assert one.is_answered_by(9)
    one.open()  # asked anew: what is on its way may be of before
    assert not one.is_answered_by(9)
    one.close()
    assert not one.is_open
    assert not one.is_answered_by(9)


def test_patience_begins_with_the_first_of_several_questions() -> None:
    one = Question(1_000)
    one.open()
    for at in range(20):
        assert not one.is_late(float(at))
        one.asked(at + 1, float(at))
    assert one.is_late(PATIENCE_S)
    one.close()
    assert not one.is_late(10 * PATIENCE_S)
