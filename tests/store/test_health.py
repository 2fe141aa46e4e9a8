"""How old a partition's data may be, and when the mirror holds all that was stored."""

import pytest

from stream_app.store.health import Health


@pytest.mark.parametrize(
    ("health", "age"),
    [
        (Health(level_at=1000), None),  # no heartbeat yet
        (Health(beat_at=1000), None),  # not loaded yet
        (Health(beat_at=9_000, level_at=9_900), 1000),  # caught up: since the heartbeat
        (Health(beat_at=9_900, level_at=4_000), 6000),  # the mirror is behind
        (
            Health(beat_at=9_900, level_at=9_900, position=5, end=9, read_at=2_000),
            8000,
        ),  # the owner is behind
        (Health(beat_at=9_900, level_at=9_900, position=5, end=9), 100),  # behind, and nothing read yet
        (Health(beat_at=9_900, level_at=9_900, position=9, end=9, read_at=2_000), 100),  # a quiet night
        (Health(beat_at=11_000, level_at=12_000), 0),  # clocks differ
    ],
)
def test_the_age_of_a_partition(health: Health, age: int | None) -> None:
    assert health.age_ms(10_000) == age


def test_level_means_that_what_was_seen_stored_is_mirrored() -> None:
    health = Health(seq=5, level_at=1_000)
    health.stored(7, 2_000)
    health.stored(9, 3_000)  # more came, but level with 7 is level as of 2 s
    assert health.level_at == 1_000
    health.seq = 7
    health.mirrored()
    assert health.level_at == 2_000
    health.seq = 9
    health.stored(9, 4_000)
    assert health.level_at == 4_000
