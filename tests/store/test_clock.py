"""Redis's clock from its answers, however late they come."""

import pytest
from redis.exceptions import NoPermissionError, ResponseError

from stream_app.store.clock import RedisClock

REAL = 1_763_800_200_000


class World:
    """Redis's time, a process's ticks, and a wall clock that may be wrong."""

    def __init__(self, wrong: int = 0) -> None:
        self.ticks, self.redis, self.wrong = 500.0, REAL, wrong
        self.clock = RedisClock(lambda: self.redis + self.wrong, lambda: self.ticks)

    def go(self, ms: int) -> None:
        self.ticks += ms
        self.redis += ms

    def ask(self, there: int = 0, back: int = 0) -> None:
        asked = self.clock.ticks()
        self.go(there)
        said = self.redis
        self.go(back)
        self.clock.heard(said, asked)


def test_before_the_first_answer_it_is_this_machines() -> None:
    world = World(wrong=-3_600_000)
    assert (world.clock.known, world.clock.ahead_ms()) == (False, None)
    assert world.clock.now() == REAL - 3_600_000


@pytest.mark.parametrize("wrong", [0, 120_000, -3_600_000])
def test_it_goes_on_by_itself_and_tells_how_far_the_wall_clock_is_off(wrong: int) -> None:
    world = World(wrong)
    world.ask()
    world.go(90_000)  # Redis is away
    assert (world.clock.now(), world.clock.ahead_ms()) == (world.redis, wrong)
    world.wrong += 7_000  # somebody sets it
    assert (world.clock.now(), world.clock.ahead_ms()) == (world.redis, wrong + 7_000)


@pytest.mark.parametrize(("there", "back"), [(4_000, 0), (0, 4_000), (20, 20), (3_000, 1_000)])
def test_a_slow_answer_moves_nothing_that_a_quick_one_told(there: int, back: int) -> None:
    world = World()
    world.ask(1, 1)
    world.ask(there, back)
    assert world.clock.now() == world.redis


@pytest.mark.parametrize(("there", "back"), [(4_000, 0), (0, 4_000)])
def test_a_quick_answer_mends_what_a_slow_one_left_open(there: int, back: int) -> None:
    world = World()
    world.ask(there, back)
    assert abs(world.clock.now() - world.redis) == 2_000  # half of what it took
    world.ask(1, 1)
    assert abs(world.clock.now() - world.redis) <= 1


@pytest.mark.parametrize("step", [3_600_000, -3_600_000, 1_500])
def test_it_follows_when_redis_is_set_or_another_one_takes_over(step: int) -> None:
    world = World()
    world.ask(1, 1)
    world.redis += step
    world.ask(1, 1)
    assert abs(world.clock.now() - world.redis) <= 1


def test_a_user_who_may_not_ask_has_this_machines_and_other_errors_are_raised() -> None:
    world = World(wrong=5_000)
    world.clock.answered(NoPermissionError("no"), world.clock.ticks())
    assert (world.clock.now(), world.clock.known) == (REAL + 5_000, False)
    with pytest.raises(ResponseError):
        world.clock.answered(ResponseError("LOADING"), world.clock.ticks())
    world.clock.answered((REAL // 1000, 123_999), world.clock.ticks())
    assert world.clock.now() == REAL + 123
