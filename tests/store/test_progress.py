"""What is final, and whose changes are published, where contacts of one topic were moved to another."""

from stream_app.model.intervals.columns import INTERVAL_MS
from stream_app.model.ports import Partition
from stream_app.store.intervals.progress import ReadProgress, final_to, to_publish

from .hand import T0

FORMER, OTHER = Partition("t", 0), Partition("new", 0)
NOW = T0 + 4 * INTERVAL_MS


def read(partition: Partition, to: int, *, retired: bool) -> ReadProgress:
    return ReadProgress(partition, 1, 1, to, to, to, retired)


def test_a_topic_that_was_left_holds_nobody_up() -> None:
    """And one that was not holds everybody up."""
    left, stays = (read(FORMER, T0, retired=retired) for retired in (True, False))
    goes_on = read(OTHER, NOW, retired=False)
    for expected in ((), (OTHER,)):
        assert final_to([left, goes_on], expected, NOW, 0) == NOW
        assert final_to([stays, goes_on], expected, NOW, 0) == T0
    assert final_to([left], (FORMER,), NOW, 0) == 0, "who expects it to be read does so in vain"


def test_what_it_changed_last_is_published() -> None:
    """Whether the publisher expects its partitions or not: a worker may have been told of the other topic later."""
    left, stays = (read(FORMER, T0, retired=retired) for retired in (True, False))
    for expected in ((), (FORMER, OTHER)):
        assert to_publish([left], expected, NOW) == [left]
        assert to_publish([stays], expected, NOW) == []
