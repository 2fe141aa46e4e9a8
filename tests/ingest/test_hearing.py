"""How long ago things were, whatever happens to the wall clock."""

import pytest

from stream_app.ingest.hearing import ENDS, Hearing


class World:
    """Ticks that only go on, and a wall clock that may be set."""

    def __init__(self) -> None:
        self.ticks, self.wall = 1_000, 1_763_800_200_000
        self.hearing = Hearing(lambda: self.wall, lambda: self.ticks)

    def go(self, ms: int) -> None:
        self.ticks += ms
        self.wall += ms


def test_since_the_broker_was_heard_of() -> None:
    world = World()
    heard = world.wall - 300
    assert world.hearing.ago(heard) == 300
    world.go(1_000)
    assert world.hearing.ago(heard) == 1_300  # not heard of again
    heard = world.wall + 950
    world.go(1_000)
    assert world.hearing.ago(heard) == 50


@pytest.mark.parametrize("step", [3_600_000, -3_600_000, 120_000, -120_000])
def test_a_wall_clock_that_is_set_makes_nothing_old_and_nothing_fresh(step: int) -> None:
    world = World()
    heard = world.wall
    assert world.hearing.ago(heard) == 0
    world.wall += step
    world.go(5_000)
    assert world.hearing.ago(heard) == 5_000  # cut off
    heard = world.wall  # heard of again, and then it is set
    world.wall += step
    world.go(1_000)
    assert 0 <= world.hearing.ago(heard) <= 1_000


def test_for_how_long_the_next_record_is_known_to_wait() -> None:
    world, waits = World(), []
    for position, end in ((5, 5), (5, 8), (6, 9), (8, 20), (8, 20), (9, 20), (20, 20), (20, 21)):
        waits.append(world.hearing.waits(position, end))
        world.go(1_000)
    # 5 to 7 were first seen at 1 s, 8 at 2 s, those up to 19 at 3 s, 20 at 7 s.
    assert waits == [None, 0, 1_000, 1_000, 2_000, 2_000, None, 0]


def test_one_that_stands_still_waits_since_it_was_first_seen_however_much_comes() -> None:
    world = World()
    for n in range(10 * ENDS):
        assert world.hearing.waits(0, n + 1) == n * 1_000
        world.go(1_000)
    reached = world.hearing.waits(5_000, 10 * ENDS)
    assert reached is not None
    assert 0 < reached <= (10 * ENDS - 5_000) * 1_000
