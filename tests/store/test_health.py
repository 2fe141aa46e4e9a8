"""How old a partition's data may be, and when the mirror holds all that was stored."""

import pytest

from stream_app.store.health import AHEAD_MS, PartitionHealth

NOW = 10_000


@pytest.mark.parametrize(
    ("health", "age"),
    [
        (PartitionHealth(level_at=1000), None),  # no heartbeat yet
        (PartitionHealth(beat_at=1000), None),  # not loaded yet
        (PartitionHealth(beat_at=9_000, level_at=9_900), 1000),  # caught up: since the heartbeat
        (PartitionHealth(beat_at=9_900, level_at=4_000), 6000),  # the mirror is behind
        (
            PartitionHealth(beat_at=9_900, level_at=9_900, position=5, end=9, read_at=2_000),
            8000,
        ),  # the owner is behind
        (
            PartitionHealth(beat_at=9_900, level_at=9_900, position=5, end=9),
            100,
        ),  # behind, and nothing read yet
        (
            PartitionHealth(beat_at=9_900, level_at=9_900, position=9, end=9, read_at=2_000),
            100,
        ),  # a quiet night
        (PartitionHealth(beat_at=NOW + AHEAD_MS, level_at=NOW), 0),  # what asking takes
        (PartitionHealth(beat_at=NOW + AHEAD_MS + 1, level_at=NOW), None),  # of the future: no age of 0
    ],
)
def test_the_age_of_a_partition(health: PartitionHealth, age: int | None) -> None:
    assert health.age_ms(NOW) == age


@pytest.mark.parametrize("read_at", [9_990, 10_000, 60_000, 3_610_000])
def test_a_fast_producer_makes_no_partition_fresh_that_lags_behind(read_at: int) -> None:
    lagging = PartitionHealth(
        beat_at=9_900, level_at=9_900, position=5, end=9, read_at=read_at, waits_since=3_000
    )
    assert lagging.age_ms(NOW) == 7_000
    lagging.position = 9  # what waited is mirrored meanwhile
    assert lagging.age_ms(NOW) == 100


def test_a_heartbeat_of_the_future_is_a_reason_in_words() -> None:
    health = PartitionHealth(seq=1, beat_at=NOW + 120_000, level_at=NOW)
    assert "120 s ahead of Redis's clock" in health.doubt(NOW)
    assert not PartitionHealth(seq=1, beat_at=NOW + AHEAD_MS, level_at=NOW).doubt(NOW)


def beat(at: int, stamped: int | None = None) -> dict[bytes, bytes]:
    """As it is stored, with what a worker of a former version leaves of a newer one's."""
    fields = {b"at": b"%d" % at, b"owner": b"host:1", b"end": b"9", b"read_at": b"5", b"position": b"9"}
    if stamped is not None:
        fields |= {b"stamped": b"%d" % stamped, b"ahead": b"120000", b"waits_since": b"7"}
    return fields


@pytest.mark.parametrize("wrong", [120_000, -120_000, 3_600_000, -3_600_000])
@pytest.mark.parametrize("stamped", [None, 1_000])
def test_a_worker_of_a_former_version_is_alive_while_it_says_something_new(
    wrong: int, stamped: int | None
) -> None:
    """Its stamps are by its own clock, which may be wrong: a stamp that stays the same grows old, whatever it says."""
    health, now = PartitionHealth(position=9, level_at=10**9), 10_000_000
    health.beaten(beat(now + wrong, stamped), now)
    assert health.age_ms(now) == (
        None if wrong > 0 else -wrong
    )  # not one of ours, and nothing to compare it with
    for later in (1_000, 2_000):
        health.beaten(beat(now + later + wrong, stamped), now + later)
        assert health.age_ms(now + later) == 0
    for later in (3_000, 9_000):
        health.beaten(beat(now + 2_000 + wrong, stamped), now + later)
        assert health.age_ms(now + later) == later - 2_000
    assert (health.ahead, health.waits_since) == (None, 0)


def test_a_worker_that_is_stamped_by_redis_follows_one_that_is_not() -> None:
    health = PartitionHealth(position=9, level_at=10**9)
    health.beaten(beat(130_000), 10_000)
    health.beaten(beat(10_500, 10_500), 11_000)
    assert (health.age_ms(11_000), health.ahead, health.waits_since, health.owner) == (
        500,
        120_000,
        7,
        "host:1",
    )


def test_level_means_that_what_was_seen_stored_is_mirrored() -> None:
    health = PartitionHealth(seq=5, level_at=1_000)
    health.stored(7, 2_000)
    health.stored(9, 3_000)  # more came, but level with 7 is level as of 2 s
    assert health.level_at == 1_000
    health.seq = 7
    health.mirrored()
    assert health.level_at == 2_000
    health.seq = 9
    health.stored(9, 4_000)
    assert health.level_at == 4_000
    health.unload()
    health.stored(9, 3_000)
    health.seq = 9
    health.mirrored()
    assert health.level_at == 3_000  # the clock was set back
