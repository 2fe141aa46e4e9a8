"""Prometheus's text format from a snapshot: text is a function of data, and nothing is kept in between.

Lines are written directly, which is many times faster than going through the client library; the tests check
with the library's own parser that it reads what was meant. What has no data has no line.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from stream_app.model.formulas import PERCENTILES
from stream_app.model.kpi import Kpi
from stream_app.model.kpis import KPIS, TOTALS
from stream_app.model.measures import Unit, Value
from stream_app.model.rows import Row, Snapshot
from stream_app.model.waits import Waits

from . import naming
from .plan.planner import Gauges, Place
from .status import Status

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MAX_SERIES: Final = 150
"""The most that one queue and channel may have: what a scrape costs is a promise."""

MAX_CURRENCIES: Final = 3
"""Of a queue; the API has all of them."""

_UNPLANNED: Final[Mapping[Place, Gauges]] = {}
_NO_PLAN: Final = Gauges()

_Line = tuple[str, float | None]  # labels in braces, value
_Labelled = list[tuple[Row, str]]  # each row with its labels, not closed yet


def render(
    snapshot: Snapshot, waits: Sequence[Waits], status: Status, plans: Mapping[Place, Gauges] = _UNPLANNED
) -> bytes:
    """The whole page; ``waits`` are of the same rows, in the same order; ``plans`` of some of them."""
    out: list[str] = []
    rows = [
        (row, f'{{queue="{_escape(row.queue)}",channel="{_escape(row.channel)}"') for row in snapshot.rows
    ]
    for kpi in KPIS:
        for name, text, lines in _of_kpi(kpi, rows, snapshot):
            _family(out, name, "gauge", text, lines)
    for total in TOTALS:
        _family(
            out,
            naming.total(total),
            "counter",
            f"Contacts {total.replace('_', ' ')} since the beginning; never falls.",
            ((f"{labels}}}", row.totals[total]) for row, labels in rows),
        )
    text = "Where a queue is worked, and for which business unit."
    _family(out, naming.QUEUE_INFO, "gauge", text, (_info(row, labels) for row, labels in rows))
    text = "1 while the queue is within its business hours."
    _family(out, naming.OPEN, "gauge", text, ((f"{labels}}}", int(row.open)) for row, labels in rows))
    text = "Today's contacts by how long they waited, cumulative, in steps of the queue's answer target."
    _family(out, naming.WAITED, "histogram", text, _waited(waits, rows), series="_bucket")
    for name, text, read in _PLANNED:
        planned = (
            (f"{labels}}}", read(plans.get((row.queue, row.channel), _NO_PLAN))) for row, labels in rows
        )
        _family(out, name, "gauge", text, planned)
    for name, kind, text, lines in _of_status(status):
        _family(out, name, kind, text, lines)
    return "".join(out).encode()


_PLANNED: Final[tuple[tuple[str, str, Callable[[Gauges], float | None]], ...]] = (
    (
        naming.FORECAST,
        "Contacts to expect in the whole of the running quarter of an hour.",
        lambda plan: plan.forecast,
    ),
    (
        naming.REQUIRED,
        "People to be on the roster in the running quarter of an hour.",
        lambda plan: plan.required,
    ),
    (
        naming.STAFFED,
        "People on the imported roster in the running quarter of an hour.",
        lambda plan: plan.staffed,
    ),
)


def _of_kpi(kpi: Kpi, rows: _Labelled, snapshot: Snapshot) -> Iterator[tuple[str, str, Iterable[_Line]]]:
    name, text = kpi.name, f"{kpi.title}: {kpi.doc}"
    if kpi.is_level:
        yield naming.value(kpi), text, ((f"{labels}}}", row.levels[name]) for row, labels in rows)
    elif kpi.unit is Unit.AMOUNT:
        yield naming.value(kpi), text, _money(kpi, rows)
    else:
        yield naming.value(kpi), text, _windowed(kpi, rows, _value)
    if naming.owns_samples(kpi):
        yield naming.samples(kpi), f"{kpi.title}: what the value rests on.", _windowed(kpi, rows, _samples)
    if naming.shows_target(kpi):
        target = f"{kpi.title}: the target in force."
        yield naming.target(kpi), target, ((f"{labels}}}", row.targets.get(name)) for row, labels in rows)
    if kpi.spread:
        yield naming.percentile(kpi), f"{kpi.title}: {naming.SHARE}.", _windowed(kpi, rows, _share)
        for q in PERCENTILES:
            yield (
                naming.percentile_of_all(kpi, q),
                f"{kpi.title}: {q} over all queues.",
                [
                    (f'{{{naming.WINDOW}="{w}"}}', (snapshot.everyone[w][name].percentiles or {}).get(q))
                    for w in kpi.windows
                ],
            )


def _windowed(kpi: Kpi, rows: _Labelled, read: Callable[[Value], float | None]) -> Iterator[_Line]:
    name = kpi.name
    ends = [(window, f',window="{window}"}}') for window in kpi.windows]
    for row, labels in rows:
        windows = row.windows
        for window, end in ends:
            yield labels + end, read(windows[window][name])


def _money(kpi: Kpi, rows: _Labelled) -> Iterator[_Line]:
    for row, labels in rows:
        for window in kpi.windows:
            amounts = row.windows[window][kpi.name].amounts or {}
            for currency, amount in list(amounts.items())[:MAX_CURRENCIES]:
                end = f',{naming.WINDOW}="{window}",{naming.CURRENCY}="{currency}"}}'
                yield labels + end, float(amount)


def _waited(waits: Sequence[Waits], rows: _Labelled) -> Iterator[_Line]:
    for found, (_, labels) in zip(waits, rows, strict=True):
        steps = [*(f"{bound / 1000:.10g}" for bound in found.upto), "+Inf"]
        for outcome, counts in found.counts.items():
            start = f'{labels},{naming.OUTCOME}="{outcome}",{naming.LE}="'
            for step, n in zip(steps, counts, strict=True):
                yield f'{start}{step}"}}', n


def _info(row: Row, labels: str) -> _Line:
    site, unit = _escape(row.site or ""), _escape(row.unit or "")
    partner = str(row.partner).lower()
    rest = f'{naming.SITE}="{site}",{naming.PARTNER}="{partner}",{naming.UNIT}="{unit}"'
    return f"{labels},{rest}}}", 1


def _value(value: Value) -> float | None:
    return value.value


def _samples(value: Value) -> float | None:
    return value.samples


def _share(value: Value) -> float | None:
    return value.percentiles[naming.SHARE] if value.percentiles else None


def _of_status(status: Status) -> Iterator[tuple[str, str, str, Iterable[_Line]]]:
    yield naming.DATA_AGE, "gauge", "How far behind the truth the numbers may be.", [("", status.age_s)]
    yield naming.MAX_AGE, "gauge", "Beyond this age the numbers are called stale.", [("", status.max_age_s)]
    yield naming.READY, "gauge", "1 if nothing stands against the numbers.", [("", int(not status.stale))]
    yield naming.PARTITIONS, "gauge", "Partitions that are followed.", [("", status.partitions)]
    yield naming.UNREAD, "gauge", "Records that wait to be read.", [("", status.unread)]
    yield naming.STORE_ROLLBACKS, "counter", "Times that the store stepped back.", [("", status.rollbacks)]
    results = sorted(
        (name, n) for name, n in status.results.items() if ":" not in name
    )  # a colon: a part of one
    lines = [(f'{{result="{_escape(name)}"}}', n) for name, n in results]
    yield naming.RECORDS, "counter", "Records by what became of them: all that were consumed.", lines


def _family(
    out: list[str], name: str, kind: str, text: str, lines: Iterable[_Line], *, series: str = ""
) -> None:
    """A metric's lines stand together, below what it is; without lines it is not mentioned."""
    block = [f"{name}{series}{labels} {value!r}\n" for labels, value in lines if value is not None]
    if block:
        out.append(f"# HELP {name} {text}\n# TYPE {name} {kind}\n")
        out += block


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
