"""What KPIs would have been under other settings, out of the ledger, is what a replay under these gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random

import pytest
from hypothesis import given

from stream_app.errors import BadSettingsError
from stream_app.ledger.hindsight import answerable, compare
from stream_app.model.durations import DAY
from stream_app.model.fold.cells import NUMBERS
from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.measures import Choice, Ratio
from stream_app.model.targets import Targets
from tests.model.kept import Kept, Line, folded
from tests.model.streams import T0, streams
from tests.model.test_what_if import Json, documents

from .asked import AskedLedger

START, END = T0 // 10_000 * 10_000 - DAY, T0 // 10_000 * 10_000 + 2 * DAY


def formula(kpi: str, policy: str) -> Ratio:
    measure = BY_NAME[kpi].measure
    ratio = measure.options[policy] if isinstance(measure, Choice) else measure
    assert isinstance(ratio, Ratio)
    return ratio


def sums(kept: Kept) -> Mapping[str, int]:
    """What the counters say of the time, of all queues."""
    out: Counter[str] = Counter()
    for (at, _, _), cell in kept.added.items():
        if START <= at < END:
            out.update({name: cell.get(number, 0) for name, number in NUMBERS.items()})
    return out


@given(streams(), documents, documents)
def test_it_is_what_a_replay_gives(lines: list[Line], was: Json, would: Json) -> None:
    before, after = Targets.of(was), Targets.of(would)
    kept = folded(lines, targets=before)
    ledger = AskedLedger(kept.ledger, kept.memory(Random(1)).open.items())
    replayed = folded(lines, targets=after)
    for one in compare(ledger, after, START, END)["", ""]:
        ratio = formula(one.kpi, one.policy)
        assert (one.was, one.samples_was) == (ratio.value(sums(kept)), ratio.samples(sums(kept))), one.kpi
        assert (one.would, one.samples_would) == (
            ratio.value(sums(replayed)),
            ratio.samples(sums(replayed)),
        ), one.kpi


def test_nine_policies_at_once() -> None:
    ledger = AskedLedger([])
    names = [
        one.policy for one in compare(ledger, Targets(), START, END)["", ""] if one.kpi == "service_level"
    ]
    assert len(names) == 9


def test_what_decides_what_happens_is_refused() -> None:
    would = Targets.of({"queues": {"x": {"bot": "acknowledges"}}})
    with pytest.raises(BadSettingsError, match=r"x \(chat\): bot can't be tried on contacts that are over"):
        answerable(Targets(), would, [("y", "chat"), ("x", "chat")])
