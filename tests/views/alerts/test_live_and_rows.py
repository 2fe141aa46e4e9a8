"""What a back-test over interval rows finds of the alerts that live numbers would have raised, minute by minute."""

from collections import Counter, defaultdict

import pytest
from typer.testing import CliRunner

from stream_app.__main__ import cli
from stream_app.ingest.dialects.canonical import decode
from stream_app.ingest.files import Layout, RecordFile
from stream_app.ingest.replay import FileReplay
from stream_app.ingest.replay.folding import fold_files
from stream_app.model.alerting import judging
from stream_app.model.alerting.firing import Firing, firings, pieces
from stream_app.model.alerting.measured import Measured, RowHistory
from stream_app.model.alerting.rules import seconds
from stream_app.model.durations import MINUTE
from stream_app.model.fold.cells import NUMBERS
from stream_app.model.fold.fold import Fold
from stream_app.model.intervals.columns import INTERVAL_MS
from stream_app.model.intervals.counting import Amounts, add_amounts
from stream_app.model.intervals.row import rows_of
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.sums import Sum
from stream_app.model.targets import Targets

Place = tuple[str, str]
WATCHED = ("service_level", "abandonment", "handle_time")
LONG_MS = 25 * MINUTE


class Live(RowHistory):
    """The last half hour of one queue, at each minute, from what happened in it."""

    def __init__(self, minutes: dict[int, Counter[int]], first: int, length: int) -> None:
        self.first, self.length, self._minutes = first, length, minutes

    def measured(self, kpi: Kpi, window: str | None, n: int, policy: str, back: int = 0) -> Measured | None:
        del window, back
        ratio = kpi.ratio(policy)
        assert ratio is not None
        last = self.first // MINUTE + n
        sums: Counter[int] = Counter()
        for minute in range(last - 29, last + 1):
            sums.update(self._minutes.get(minute, {}))

        def total(part: Sum) -> int:
            return sum(sign * sums[NUMBERS[counter.name]] for sign, counter in part.terms)

        over, under = total(Sum.of(ratio.numerator)), total(Sum.of(ratio.denominator))
        value = ratio.times * over / (under * kpi.unit.parts) if under > 0 else None
        return Measured(value, max(0, under))


@pytest.fixture(scope="module")
def day(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[dict[Place, dict[int, Counter[int]]], dict[Place, RowHistory]]:
    """A simulated day with a spike: what happened in each minute, and interval rows."""
    path = tmp_path_factory.mktemp("day") / "day.ndjson"
    options = "--rate 1.5 --duration 20h --start 2026-03-02T04:00Z --incident spike@7h,for=90m,times=6"
    done = CliRunner().invoke(cli, ["simulate", *options.split(), "--out", str(path)])
    assert done.exit_code == 0, done.output
    fold = Fold(Targets())
    minutes: dict[Place, dict[int, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    counted: dict[Place, dict[int, Amounts]] = defaultdict(lambda: defaultdict(dict))
    for deltas in fold_files([RecordFile(path, Layout())], fold, FileReplay(decode)):
        for (start, queue, channel), cell in deltas.cells.items():
            minutes[queue, channel][start // MINUTE].update(cell)
        for (start, queue, channel), amounts in deltas.rows.items():
            add_amounts(counted[queue, channel][start], amounts)
    rows = {
        place: RowHistory([row for row in rows_of(place, found, fold.state.time, 0) if row.final], "UTC")
        for place, found in counted.items()
    }
    return minutes, rows


@pytest.mark.slow
def test_what_lasts_is_found_within_an_interval_where_nobody_waits_for_hours(
    day: tuple[dict[Place, dict[int, Counter[int]]], dict[Place, RowHistory]],
) -> None:
    minutes, rows = day
    late = []
    for name in WATCHED:
        kpi = BY_NAME[name]
        for place, history in rows.items():
            if place[1] == "email":
                continue
            found = _firings(kpi, history, place, history.end(0), INTERVAL_MS)
            live = Live(minutes[place], history.first, history.length * 15)
            for one in _firings(kpi, live, place, live.first, MINUTE):
                if one.length < LONG_MS:
                    continue
                seen = [each for each in found if each.start < one.end and one.start < each.end]
                assert seen, f"{name} of {place}: {one} is not found"
                late.append(min((each.start - one.start) // MINUTE for each in seen))
    assert len(late) > 15
    assert max(late) <= 15


def _firings(kpi: Kpi, history: RowHistory, place: Place, first_end: int, step: int) -> list[Firing]:
    alert = kpi.threshold
    assert alert is not None
    states = judging.states(judging.built_in(kpi, alert), history, Targets().rule(*place))
    hold, keep = (seconds(text) * 1000 for text in (alert.hold, alert.keep))
    return firings(pieces(states, first_end, step, None), hold, keep)
