"""Prometheus's text format from a snapshot: the text is a function of the data, and nothing is kept in between.

Lines are written directly, which is many times faster than using the client library; the tests check
with the library's own parser that it reads what was meant. A series without data has no line.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from stream_app.model.events import QueueChannel
from stream_app.model.kpis import KPIS, TOTALS
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.kpis.measures import Unit, Value
from stream_app.model.live.formulas import PERCENTILES
from stream_app.model.live.rows import QueueRow, Snapshot
from stream_app.model.live.wait_histograms import WaitHistogram
from stream_app.model.pieces import Pieces, whole

from . import naming
from .budget import MAX_CURRENCIES
from .ledger.metrics import LedgerSeries
from .plan.planner import Gauges
from .status import OURS, Status
from .text import escaped

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
LINES_AT_ONCE: Final = 500
"""Lines in a piece of the page, which takes about a millisecond."""

_UNPLANNED: Final[Mapping[QueueChannel, Gauges]] = {}
_NO_PLAN: Final = Gauges()
_NO_LEDGER: Final[LedgerSeries] = []

_Line = tuple[str, float | None]  # labels in braces, value
_Labelled = list[tuple[QueueRow, str]]  # each row with its labels, not closed yet


def render(
    snapshot: Snapshot,
    waits: Sequence[WaitHistogram],
    status: Status,
    plans: Mapping[QueueChannel, Gauges] = _UNPLANNED,
    ledger: LedgerSeries = _NO_LEDGER,
) -> bytes:
    """Write the whole page.

    Args:
        snapshot: live values.
        waits: for the same rows in the same order.
        status: how far they can be trusted.
        plans: of some rows.
        ledger: series of KPIs of the ledger.
    """
    return b"".join(whole(rendered(snapshot, waits, status, plans, ledger)))


def rendered(
    snapshot: Snapshot,
    waits: Sequence[WaitHistogram],
    status: Status,
    plans: Mapping[QueueChannel, Gauges] = _UNPLANNED,
    ledger: LedgerSeries = _NO_LEDGER,
) -> Pieces[list[bytes]]:
    """Do what ``render`` does, in pieces of some lines."""
    out: list[bytes] = []
    rows = [
        (row, f'{{queue="{escaped(row.queue)}",channel="{escaped(row.channel)}"') for row in snapshot.rows
    ]
    for kpi in KPIS:
        for name, text, lines in _of_kpi(kpi, rows, snapshot):
            yield from _family(out, name, "gauge", text, lines)
    for total in TOTALS:
        yield from _family(
            out,
            naming.total(total),
            "counter",
            f"Contacts: {total.replace('_', ' ')}, counted as they happened, since this process began; history is left out.",
            ((f"{labels}}}", row.live[total]) for row, labels in rows),
        )
    text = "Where a queue is handled, and for which business unit."
    yield from _family(out, naming.QUEUE_INFO, "gauge", text, (_info(row, labels) for row, labels in rows))
    for name, text, lines in _of_agents(snapshot):
        yield from _family(out, name, "gauge", text, lines)
    text = "1 while the queue is within its business hours."
    is_open = ((f"{labels}}}", int(row.open)) for row, labels in rows)
    yield from _family(out, naming.OPEN, "gauge", text, is_open)
    text = "Today's contacts by how long they waited, cumulative, in steps of the queue's answer target."
    yield from _family(out, naming.WAITED, "histogram", text, _waited(waits, rows), series="_bucket")
    for name, text, read in _PLANNED:
        planned = (
            (f"{labels}}}", read(plans.get((row.queue, row.channel), _NO_PLAN))) for row, labels in rows
        )
        yield from _family(out, name, "gauge", text, planned)
    for name, text, some in ledger:
        yield from _family(out, name, "gauge", text, some)
    for name, kind, text, lines in _of_status(status):
        yield from _family(out, name, kind, text, lines)
    return out


_PLANNED: Final[tuple[tuple[str, str, Callable[[Gauges], float | None]], ...]] = (
    (
        naming.FORECAST,
        "Contacts forecast for the whole of the current 15-minute interval.",
        lambda plan: plan.forecast,
    ),
    (
        naming.REQUIRED,
        "Agents required on the schedule in the current 15-minute interval.",
        lambda plan: plan.required,
    ),
    (
        naming.REQUIRED_AT_WORK,
        "Agents required at work in the current 15-minute interval: on the schedule less breaks, training and absence.",
        lambda plan: plan.at_work,
    ),
    (
        naming.STAFFED,
        "Agents on the imported schedule in the current 15-minute interval.",
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
        yield (
            naming.samples(kpi),
            f"{kpi.title}: samples, the denominator of the value.",
            _windowed(kpi, rows, _samples),
        )
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


def _waited(waits: Sequence[WaitHistogram], rows: _Labelled) -> Iterator[_Line]:
    for found, (_, labels) in zip(waits, rows, strict=True):
        steps = [*(f"{bound / 1000:.10g}" for bound in found.upto), "+Inf"]
        for outcome, counts in found.counts.items():
            start = f'{labels},{naming.OUTCOME}="{outcome}",{naming.LE}="'
            for step, n in zip(steps, counts, strict=True):
                yield f'{start}{step}"}}', n


def _of_agents(snapshot: Snapshot) -> Iterator[tuple[str, str, Iterable[_Line]]]:
    """Yield what agents do: they serve queues, whatever the channel; only of queues that have rows, whose number is limited."""
    queues = {row.queue: row.agents for row in snapshot.rows if row.agents is not None}
    doing = [
        (f'{{{naming.QUEUE}="{escaped(queue)}",{naming.DOING}="{name}"}}', found)
        for queue, agents in queues.items()
        for name, found in agents.doing.items()
    ]
    yield (
        naming.AGENTS,
        "Agents of a queue, by what they do.",
        ((labels, found.count) for labels, found in doing),
    )
    text = "How long the agent has done it who has done it the longest."
    longest = ((labels, _ago(snapshot.at, found.since)) for labels, found in doing)
    yield naming.AGENTS_LONGEST, text, longest
    text = "Agents of a queue who do something for longer than its limit."
    over = ((f'{{{naming.QUEUE}="{escaped(queue)}"}}', snapshot.over_limit.get(queue, 0)) for queue in queues)
    yield naming.AGENTS_OVER_LIMIT, text, over
    slots = [
        (f'{{{naming.QUEUE}="{escaped(row.queue)}",{naming.CHANNEL}="{escaped(row.channel)}"}}', found)
        for row in snapshot.rows
        if row.agents is not None and (found := row.agents.slots.get(row.channel)) is not None
    ]
    text = "Contacts of the channel that the queue's available agents may have at once."
    yield naming.AGENT_SLOTS, text, ((labels, found.slots) for labels, found in slots)
    text = "How many of these they have, of whichever queue."
    yield naming.AGENT_SLOTS_USED, text, ((labels, found.used) for labels, found in slots)
    text = "How long the next contact is expected to wait: the mean, and the bounds that hold 80 % of such waits."
    yield naming.NEXT_WAIT, text, _next_waits(snapshot)


def _next_waits(snapshot: Snapshot) -> Iterator[_Line]:
    for row in snapshot.rows:
        if (wait := row.next_wait) is None:
            continue
        place = f'{naming.QUEUE}="{escaped(row.queue)}",{naming.CHANNEL}="{escaped(row.channel)}"'
        for bound, seconds in (("low", wait.low), ("mean", wait.mean), ("high", wait.high)):
            yield f'{{{place},{naming.BOUND}="{bound}"}}', round(seconds, 1)


def _ago(now: int, since: int | None) -> float | None:
    return None if since is None else max(0, now - since) / 1000


def _info(row: QueueRow, labels: str) -> _Line:
    site, unit = escaped(row.site or ""), escaped(row.unit or "")
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
    yield naming.DATA_AGE, "gauge", "How far behind real time the numbers may be.", [("", status.age_s)]
    yield naming.MAX_AGE, "gauge", "The age beyond which the numbers are stale.", [("", status.max_age_s)]
    yield naming.READY, "gauge", "1 if the numbers can be trusted.", [("", int(not status.stale))]
    version = status.targets_version if status.loaded else None
    yield (
        naming.TARGETS_VERSION,
        "gauge",
        "The version of the targets in force; 0 for the defaults.",
        [("", version)],
    )
    ahead = [(OURS, status.skew_s), *((skew.partition, skew.ahead_s) for skew in status.skews)]
    clocks = [(f'{{{naming.OF}="{escaped(whose)}"}}', seconds) for whose, seconds in ahead]
    text = "How far a clock is ahead of Redis's: that of serve, and that of each partition's worker."
    yield naming.SKEW, "gauge", text, clocks
    yield naming.PARTITIONS, "gauge", "Partitions of the topic that serve follows.", [("", status.partitions)]
    yield naming.UNREAD, "gauge", "Records in Kafka that were not read yet.", [("", status.unread)]
    yield (
        naming.STORE_ROLLBACKS,
        "counter",
        "Times that the store went back to an older state.",
        [("", status.rollbacks)],
    )
    yield naming.STORE_BYTES, "gauge", "Memory that Redis uses.", [("", status.store_bytes)]
    limit = "The most memory that Redis may use (maxmemory); absent without a limit."
    yield naming.STORE_LIMIT, "gauge", limit, [("", status.store_limit_bytes)]
    results = sorted(
        (name, n) for name, n in status.results.items() if ":" not in name
    )  # a colon: a part of one
    lines = [(f'{{result="{escaped(name)}"}}', n) for name, n in results]
    yield naming.RECORDS, "counter", "All records that were consumed, by result.", lines


def _family(
    out: list[bytes], name: str, kind: str, text: str, lines: Iterable[_Line], *, series: str = ""
) -> Pieces[None]:
    """Write a metric's lines together, below its HELP and TYPE; a metric without lines is left out."""
    known = ((labels, value) for labels, value in lines if value is not None)
    head = f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
    while some := list(islice(known, LINES_AT_ONCE)):
        out.append(
            (head + "".join([f"{name}{series}{labels} {value!r}\n" for labels, value in some])).encode()
        )
        head = ""
        yield
