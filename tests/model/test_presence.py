"""Time ends work, and nothing else with it."""

from stream_app.model.presence import Presence, Telling, work_over


def test_work_that_ends_at_its_limit_brings_nobody_back() -> None:
    """The platform told in time that the agent left, and the record came late."""
    wrapping = Presence().tell(Telling(1_000, "available", queues=("sales",)))
    wrapping = wrapping.tell(Telling(2_000, "wrap", limit=5_000)).tell(work_over(5_000))
    assert (wrapping.current().status.state, wrapping.current().status.work) == ("available", "")
    gone = wrapping.tell(Telling(4_000, "offline")).current()
    assert (gone.status.state, gone.status.served, gone.began) == ("offline", {}, 4_000)
