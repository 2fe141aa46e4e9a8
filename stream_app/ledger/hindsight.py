"""What the KPIs of a time would have been under other settings: its contacts, judged anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from stream_app.model import facts as f
from stream_app.model.facts import Fact, Facts
from stream_app.model.fold.cells import NUMBERS
from stream_app.model.fold.tally import Tally
from stream_app.model.kpis import KPIS
from stream_app.model.kpis.measures import Choice, Ratio
from stream_app.model.targets import Targets
from stream_app.model.what_if import Compared, Hindsight, NotAnswerableError, unanswerable

from .columns import fact_column

_IN_VISITS: Final[tuple[type[Fact], ...]] = (
    f.Offered,
    f.Answered,
    f.Abandoned,
    f.Left,
    f.Lost,
    f.Decided,
    f.Responded,
    f.QueueResponded,
)
"""What is judged of a visit, and what ratios of these need besides."""
_IN_REPLIES: Final[tuple[type[Fact], ...]] = (f.Replied,)
_JUDGED: Final = frozenset((*_IN_VISITS, *_IN_REPLIES))
_NAMES: Final = {number: name for name, number in NUMBERS.items()}
_AT_ONCE: Final = 5_000


class Batches(Protocol):
    """What answers SQL over the ledger's tables, in the thread that asks."""

    def batches(
        self, sql: str, parameters: Sequence[Any] = (), size: int = ...
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield a query's rows, some at a time."""
        ...


def answerable(was: Targets, would: Targets, places: Sequence[tuple[str, str]]) -> None:
    """Make sure that contacts which are over can be judged by what differs.

    Raises:
        NotAnswerableError: they can't, because it decides what happens at all.
    """
    for queue, channel in places:
        names = unanswerable(was.rule(queue, channel), would.rule(queue, channel))
        if names:
            raise NotAnswerableError(
                f"{queue} ({channel}): {', '.join(names)} can't be tried on contacts that are over, because more would have "
                "gone differently than how they are judged; replay the recorded events under these settings instead"
            )


def compare(
    queries: Batches, targets: Targets, start: int, end: int, queue: str | None = None
) -> dict[tuple[str, str], list[Compared]]:
    """Return the KPIs of a time that depend on how contacts are judged, by queue and channel; ("", ""): of all together.

    Args:
        queries: answers SQL.
        targets: the other settings.
        start: of the time, in milliseconds, inclusive.
        end: exclusive.
        queue: one queue; ``None``: all.
    """
    was, would = Tally(), Tally()
    judges: dict[tuple[str, str], Hindsight] = {}
    for table, kinds in (("visits", _IN_VISITS), ("replies", _IN_REPLIES)):
        sql, values = _asked(table, kinds, start, end, queue)
        for rows in queries.batches(sql, values, _AT_ONCE):
            for place_queue, channel, priority, sign, *columns in rows:
                facts = _facts(kinds, columns)
                place = place_queue, channel
                if place not in judges:
                    judges[place] = Hindsight(targets.rule(*place))
                anew = judges[place].again(facts, priority)
                for tally, some in ((was, facts), (would, anew)):
                    within = tuple(fact for fact in some if start <= fact.at < end)
                    tally.add(within if sign > 0 else (f.TakenBack(0, within),), *place)
    return _compared(was, would)


def _asked(
    table: str, kinds: tuple[type[Fact], ...], start: int, end: int, queue: str | None
) -> tuple[str, list[Any]]:
    columns = [
        f"epoch_ms({name})" if field == "at" or field.endswith("_at") else name
        for kind in kinds
        for field in kind.__struct_fields__
        for name in (fact_column(kind, field),)
    ]
    sign = "1" if table == "visits" else "sign"
    times = " OR ".join(
        f"({fact_column(kind, 'at')} >= make_timestamptz(? * 1000) AND {fact_column(kind, 'at')} < make_timestamptz(? * 1000))"
        for kind in kinds
    )
    values: list[Any] = [start, end] * len(kinds)
    where = f"({times})"
    if table == "visits":  # a decision may move into the time from where the wait ended, and out of it
        where = f"({times} OR (started_at < make_timestamptz(? * 1000) AND {_ENDED} >= make_timestamptz(? * 1000)))"
        values += [end, start]
    if queue is not None:
        where += " AND queue = ?"
        values.append(queue)
    return f"SELECT queue, channel, priority, {sign}, {', '.join(columns)} FROM {table} WHERE {where}", values


_ENDED: Final = (
    f"coalesce({', '.join(fact_column(kind, 'at') for kind in (f.Answered, f.Abandoned, f.Left, f.Lost))})"
)


def _facts(kinds: tuple[type[Fact], ...], columns: Sequence[Any]) -> Facts:
    """Make facts of the columns of a row again."""
    found: list[Fact] = []
    at = 0
    for kind in kinds:
        size = len(kind.__struct_fields__)
        fields = columns[at : at + size]
        at += size
        if fields[0] is not None:
            found.append(kind(*fields))
    return tuple(found)


def _compared(was: Tally, would: Tally) -> dict[tuple[str, str], list[Compared]]:
    sums = [_sums(tally) for tally in (was, would)]
    places = {*sums[0], *sums[1]}
    return {
        place: [
            Compared(
                name, policy, ratio.value(one), ratio.value(other), ratio.samples(one), ratio.samples(other)
            )
            for name, policy, ratio in _RATIOS
        ]
        for place in sorted(places)
        for one, other in [(sums[0].get(place, {}), sums[1].get(place, {}))]
    }


def _sums(tally: Tally) -> dict[tuple[str, str], Mapping[str, int]]:
    out: dict[tuple[str, str], dict[str, int]] = {("", ""): {}}
    for (_, queue, channel), cell in tally.take().items():
        for place in (("", ""), (queue, channel)):
            mine = out.setdefault(place, {})
            for number, n in cell.items():
                name = _NAMES.get(number)
                if name is not None:
                    mine[name] = mine.get(name, 0) + n
    return {**out}


def _ratios() -> Iterator[tuple[str, str, Ratio]]:
    """Yield the KPIs that rest on nothing but what is judged."""
    for kpi in KPIS:
        measure = kpi.measure
        options = measure.options if isinstance(measure, Choice) else {"": measure}
        for policy, ratio in options.items():
            if isinstance(ratio, Ratio) and {counter.fact for counter in ratio.counters} <= _JUDGED:
                yield kpi.name, policy, ratio


_RATIOS: Final = tuple(_ratios())
