"""KPIs of the ledger as they are passed on: the sums of their families over windows, and who computes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from msgspec import Struct

from stream_app.model.durations import DAY
from stream_app.model.kpis.from_ledger import FromLedger
from stream_app.model.kpis.kpi import Kpi
from stream_app.model.targets import Targets

LedgerWindow = Literal["today", "7d", "28d"]
LEDGER_WINDOWS: Final[dict[LedgerWindow, int | None]] = {"today": None, "7d": 7 * DAY, "28d": 28 * DAY}
"""Window → its length, ms; ``None``: since midnight, by each queue's own clock. All of them end now."""

TimeRange = tuple[int, int]
"""``[start, end)``, ms."""


class SumsKey(NamedTuple):
    """Where something was counted; ``None``: unknown, or not asked for.

    Attributes:
        queue: of customers and agents none.
        channel: likewise.
        name: of the group.
        currency: of amounts.
    """

    queue: str | None
    channel: str | None
    name: str | None
    currency: str | None


class FamilySums(Struct, frozen=True, array_like=True):
    """What a family counted.

    Attributes:
        names: of its sums.
        rows: where → the sums, in the order of their names.
    """

    names: tuple[str, ...]
    rows: list[tuple[SumsKey, tuple[int, ...]]]


class WindowSums(Struct, frozen=True, array_like=True):
    """What was counted in a window.

    Attributes:
        start: its beginning, ms; of days that begin at several times the earliest.
        end: exclusive.
        families: name → sums; those that could not be computed are not here.
        unknown: stretches of it of which contacts are missing.
        failed: family → why it could not be computed, for people.
    """

    start: int
    end: int
    families: dict[str, FamilySums]
    unknown: list[TimeRange]
    failed: dict[str, str] = {}


class LedgerNumbers(Struct, frozen=True, array_like=True):
    """All windows at one moment.

    Attributes:
        at: the moment, ms.
        known: up to when the partitions were told everything, ms: by it numbers are settled.
        windows: name → its sums, by queue and channel, of customers by segment, and of agents by team.
        took: how long that took, ms.
    """

    at: int
    known: int
    windows: dict[LedgerWindow, WindowSums]
    took: int = 0


class LatestNumbers(Struct, frozen=True):
    """What is shown, and how far it can be trusted.

    Attributes:
        numbers: the latest; ``None``: there are none yet.
        stale: whether they are older than they should be.
        problem: why, for people; empty where they are not.
    """

    numbers: LedgerNumbers | None
    stale: bool
    problem: str = ""


class HistoryQuery(Struct, frozen=True, kw_only=True):
    """A question for the course of a KPI.

    Attributes:
        kpi: one of the ledger's, or one whose counters the ledger has, too.
        periods: consecutive stretches, in order.
        queues: names; ``None``: all.
        channels: likewise.
        group: by what each period is split; ``None``: not at all.
        now: ms.
        known: up to when everything is known, ms; ``None``: up to the time of the partition that is furthest behind.
        policy: of a KPI with several formulas; ``None``: each queue's own.
    """

    kpi: Kpi | FromLedger
    periods: tuple[TimeRange, ...]
    queues: frozenset[str] | None = None
    channels: frozenset[str] | None = None
    group: str | None = None
    now: int
    known: int | None = None
    policy: str | None = None


class HistoryPoint(Struct, frozen=True):
    """A KPI in a period, or a group's part of it.

    Attributes:
        period: which one, by its place in the question.
        name: of the group; ``None``: unknown, or there are no groups.
        policy: of a KPI with several formulas.
        value: in its unit; ``None``: no data.
        samples: how much it rests on.
        settled_value: see ``LedgerValue``, like the next three.
    """

    period: int
    name: str | None
    policy: str
    value: float | None
    samples: int
    settled_value: float | None = None
    settled_samples: int | None = None
    parts: Mapping[str, float] = {}
    amounts: Mapping[str, str] | None = None


class KpiHistory(Struct, frozen=True):
    """The course of a KPI.

    Attributes:
        points: in the order of their periods; periods without data have none.
        unknown: of each period, the stretches of which contacts are missing.
        done: how many periods were answered: those after them took too long.
        known: up to when the partitions were told everything, ms.
    """

    points: list[HistoryPoint]
    unknown: list[list[TimeRange]]
    done: int
    known: int


class LedgerKpis(Protocol):
    """What computes KPIs of the ledger. The errors are those of ``ContactFinder``."""

    def latest(self) -> LatestNumbers:
        """Return what is refreshed all the time."""
        ...

    async def ask(
        self, window: LedgerWindow, group: str, families: Collection[str], targets: Targets
    ) -> LedgerNumbers:
        """Return these families in a window, now, split by a group besides queue and channel."""
        ...

    async def history(self, query: HistoryQuery, targets: Targets) -> KpiHistory:
        """Return the course of a KPI.

        Raises:
            NotExplainedError: the ledger can't tell that KPI, or not by that group.
        """
        ...


def chosen(
    sums: FamilySums, queues: frozenset[str] | None, channels: frozenset[str] | None
) -> Sequence[tuple[SumsKey, Mapping[str, int]]]:
    """Return the rows of some queues and channels, with the names of their sums."""
    return [
        (key, dict(zip(sums.names, row, strict=True)))
        for key, row in sums.rows
        if (queues is None or key.queue in queues) and (channels is None or key.channel in channels)
    ]
