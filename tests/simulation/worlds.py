"""Small centres with round numbers, and what to do with their events."""

import tomllib
from collections.abc import Mapping, Sequence

from stream_app.demo import planning
from stream_app.ingest import batch
from stream_app.ingest.dialects.canonical import decode
from stream_app.model.fold.cells import NUMBERS, add_into
from stream_app.model.fold.deltas import Deltas
from stream_app.model.fold.fold import Fold
from stream_app.model.kpis import COUNTERS
from stream_app.model.targets import Targets
from stream_app.simulation import Centre, CentreSettings, Duration, Ledger, Patience, QueueSettings
from stream_app.simulation.wire import Stamps, encode

MONDAY = 1_767_571_200_000  # 2026-01-05, midnight UTC
MINUTE = 60_000
HOUR = 60 * MINUTE


class Record:
    """What the worker takes from Kafka."""

    def __init__(self, offset: int, timestamp: int, value: bytes) -> None:
        self.offset = offset
        self.timestamp = timestamp
        self.timestamp_type = 0
        self.value: bytes | None = value
        self.headers: tuple[tuple[str, bytes], ...] = ()


def plain(**changes: object) -> CentreSettings:
    """One queue, ten agents all day, nothing but waiting, talking and giving up."""
    queue: dict[str, object] = {
        "name": "desk",
        "channel": "voice",
        "per_hour": 120.0,
        "staff": (10,) * 24,
        "talk": Duration(250, 1.0),
        "wrap": Duration(50, 0.3),
        "patience": Patience(200),
    }
    return CentreSettings(queues=(QueueSettings(**queue | changes),), presence=False)  # type: ignore[arg-type]


def play(settings: CentreSettings, hours: float, seed: int = 1) -> Ledger:
    """The ledger of some hours from midnight on."""
    centre = Centre(settings, seed)
    for _ in centre.events(MONDAY, MONDAY + round(hours * HOUR)):
        pass
    return centre.ledger


def lines(centre: Centre, start: int, end: int, stamps: Stamps = "epoch") -> list[bytes]:
    """Encoded events."""
    return [encode(event, stamps) for event in centre.events(start, end)]


def planned_targets(settings: CentreSettings, reply_targets: Mapping[str, int] | None = None) -> Targets:
    """The targets of the demo: its queues have calendars; and for replies, in seconds, those of some queues."""
    document = tomllib.loads(planning.targets(settings, "UTC", []))
    for queue, seconds in (reply_targets or {}).items():
        document["queues"][queue]["reply_target_s"] = seconds
    return Targets.of(document)


def folded(
    records: Sequence[batch.KafkaRecord], targets: Targets | None = None
) -> tuple[Deltas, dict[tuple[str, str], dict[str, int]]]:
    """What the pipeline makes of records: everything, and the counters by queue and channel."""
    deltas = batch.fold_records(Fold(targets or Targets()), records, 0, decode).deltas
    cells: dict[tuple[str, str], dict[int, int]] = {}
    for (_, queue, channel), amounts in deltas.cells.items():
        add_into(cells.setdefault((queue, channel), {}), amounts)
    names = {NUMBERS[counter.name]: counter.name for counter in COUNTERS}
    return deltas, {
        place: {names[n]: value for n, value in cell.items() if n in names} for place, cell in cells.items()
    }
