"""The families' sums over the windows that are served, of one opened ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final

from msgspec.structs import replace

from stream_app.ledger.querying import FailedQueryError, TooLargeQueryError, TooSlowQueryError
from stream_app.ledger.reading import OpenedLedger
from stream_app.model.durations import DAY
from stream_app.model.events import QueueChannel
from stream_app.model.ledger_numbers import (
    LEDGER_WINDOWS,
    FamilySums,
    LedgerNumbers,
    LedgerWindow,
    SumsKey,
    TimeRange,
    WindowSums,
)
from stream_app.model.targets import Targets
from stream_app.model.targets.ledger_rules import LedgerRules
from stream_app.model.windows import midnight

from . import FAMILIES
from .asking import (
    GroupSums,
    OpenStretch,
    bounded,
    look_up_together,
    prepare,
    sums_by_period,
    sums_of_windows,
)
from .cases import CASES
from .query import LedgerFamily, LedgerQuestion
from .sight import too_much

PLACE: Final = ("queue", "channel")
UNPLACED: Final = ("segment", "team")
"""By what those are split who belong to no queue, if nothing is asked."""
LARGEST: Final = 2**63 - 1
"""Sum that is passed on between processes."""
HOURS_BACK: Final = 2 * 366 * DAY
"""For how long business hours are listed, at most: a case may say that it was opened in another century."""


class AskedNumbers:
    """Answers questions about one opened ledger."""

    def __init__(
        self,
        ledger: OpenedLedger,
        targets: Targets,
        now: int,
        known: int | None = None,
        *,
        families: Collection[str] = FAMILIES,
        within_s: float | None = None,
    ) -> None:
        """Take it.

        Args:
            ledger: opened for ``asking.range_of``.
            targets: in force.
            now: the end of windows, ms.
            known: up to when everything is known, ms; ``None``: up to the time of the partition that is furthest behind.
            families: those that will be asked for.
            within_s: after which families that have no sums yet have failed; ``None``: each has its own time.
        """
        self._families = [family for family in FAMILIES.values() if family.name in families]
        self._until = None if within_s is None else asyncio.get_running_loop().time() + within_s
        self._within_s = within_s
        self._ledger, self._targets, self._now = ledger, targets, now
        self.known = told(ledger) if known is None else known
        self._rules = LedgerRules.of(targets)
        self._zones: dict[QueueChannel, str] = {}

    async def begin(self) -> None:
        """Make the ledger ready."""
        owners = self._rules.owners(self._targets.queues)
        of_queues = [(one.queue, one.partner, one.unit) for one in owners]
        await prepare(self._ledger.queries, await self._hours(), of_queues)

    async def _hours(self) -> list[OpenStretch]:
        """Return the business hours of all places where a case may count, since anything began: which do would take longer."""
        if not any(family.by_hours for family in self._families):
            return []
        if not await self._ledger.queries.rows("SELECT 1 FROM cases LIMIT 1", most=1):
            return []
        rows = await bounded(
            self._ledger.queries,
            "SELECT queue, channel, epoch_ms(min(began)) "
            'FROM (SELECT queue, channel, coalesce(opened_at, "at") AS began FROM cases '
            "UNION ALL SELECT queue, channel, started_at AS began FROM visits) AS of_cases "
            "WHERE queue IS NOT NULL AND channel IS NOT NULL GROUP BY queue, channel",
        )
        return await asyncio.to_thread(self._listed, rows)

    def _listed(self, rows: Sequence[tuple[str, str, int]]) -> list[OpenStretch]:
        """Return the business hours of places, in a thread.

        All of them since the first thing began anywhere: a case may be opened in one place and resolved in another one.
        """
        if not rows:
            return []
        first = max(min(began for _, _, began in rows), self._now - HOURS_BACK)
        places = [(queue, channel) for queue, channel, _ in rows]
        found = self._rules.open_hours(places, first, self._now)
        return [(one.queue, one.channel, one.opens_at, one.closes_at) for one in found]

    async def numbers(self, windows: Collection[LedgerWindow], group: str | None = None) -> LedgerNumbers:
        """Return windows, by queue and channel and, if given, a group."""
        begun = monotonic()
        spans = {name: self._spans(name) for name in windows}
        found = await self._within({span for by_zone in spans.values() for span in by_zone.values()}, group)
        made: dict[LedgerWindow, WindowSums] = {}
        for name, by_zone in spans.items():
            parts = {zone: found[span] for zone, span in by_zone.items()}
            made[name] = self._of_zones(parts) if LEDGER_WINDOWS[name] is None else parts[""]
        return LedgerNumbers(self._now, self.known, made, round(1000 * (monotonic() - begun)))

    def _spans(self, name: LedgerWindow) -> dict[str, TimeRange]:
        """Return a window's time by zone: days begin by each queue's own clock; other windows are the same in all."""
        length = LEDGER_WINDOWS[name]
        if length is not None:
            return {"": (self._now - length, self._now)}
        return {zone: (midnight(self._now, zone), self._now) for zone in self.zones_in_use()}

    async def between(self, span: TimeRange, group: str | None = None) -> WindowSums:
        """Return what was counted in ``[start, end)``."""
        return (await self._within([span], group))[span]

    async def _within(
        self, spans: Collection[TimeRange], group: str | None = None
    ) -> dict[TimeRange, WindowSums]:
        """Return what was counted in each of these, which have the same end."""
        found = {span: WindowSums(*span, {}, unknown_in(self._ledger, span), {}) for span in sorted(spans)}
        if spans and all(family in self._families for family in CASES):
            with suppress(TooSlowQueryError, TooLargeQueryError, FailedQueryError, TimeoutError):
                async with asyncio.timeout_at(self._until):
                    await look_up_together(self._ledger.queries, self.question(min(spans)))
        for family in self._families:
            groups = groups_of(family, group)
            if groups is None:
                continue
            for some in [[*found]] if family.sampled else [[span] for span in found]:
                if group is None and (much := too_much(self._ledger.queries, family, some[0])):
                    found[some[0]].failed[family.name] = much
                else:
                    await self._count(family, some, groups, found)
        return found

    async def _count(
        self,
        family: LedgerFamily,
        spans: Sequence[TimeRange],
        groups: Sequence[str],
        found: Mapping[TimeRange, WindowSums],
    ) -> None:
        """Ask a family for all of these spans, the longest first; where it is too much, for the shorter ones."""
        while spans:
            try:
                async with asyncio.timeout_at(self._until):
                    counted = await self._sums(family, spans, groups)
            except (TooSlowQueryError, TooLargeQueryError, FailedQueryError) as error:
                failed = str(error)
            except TimeoutError:
                failed = f"the ledger was asked for too much: no answer within {self._within_s:g} s"
            else:
                for span, one in zip(spans, counted, strict=True):
                    found[span].families[family.name] = one
                return
            found[spans[0]].failed[family.name] = failed
            spans = spans[1:]

    async def one(self, family: str, span: TimeRange, group: str | None = None) -> FamilySums:
        """Return what one family counted.

        Raises:
            TooSlowQueryError: it takes too long.
            TooLargeQueryError: it needs too much memory.
        """
        found = FAMILIES[family]
        return (await self._sums(found, [span], groups_of(found, group) or ()))[0]

    async def periods(
        self,
        family: str,
        periods: Sequence[TimeRange],
        group: str | None = None,
        *,
        until: float | None = None,
    ) -> list[FamilySums]:
        """Return what one family counted in each of these consecutive periods, or in the first of them.

        Args:
            family: which.
            periods: ``[start, end)`` each, ms.
            group: by what each is split.
            until: when, by ``monotonic``, no further question is begun.

        Raises:
            TooSlowQueryError: it takes too long.
            TooLargeQueryError: it needs too much memory.
        """
        found = FAMILIES[family]
        if not found.sampled:
            return await self._one_by_one(family, periods, group, until)
        asked, groups = self.question((periods[0][0], periods[-1][1])), groups_of(found, group) or ()
        split = await sums_by_period(self._ledger.queries, found, asked, groups, periods)
        return await asyncio.to_thread(lambda: [_family_sums(found, groups, one) for one in split])

    async def _one_by_one(
        self, family: str, periods: Sequence[TimeRange], group: str | None, until: float | None
    ) -> list[FamilySums]:
        found: list[FamilySums] = []
        for period in periods:
            if found and until is not None and monotonic() > until:
                break
            try:
                found.append(await self.one(family, period, group))
            except (TooSlowQueryError, TooLargeQueryError, FailedQueryError):
                if not found:
                    raise
                break
        return found

    def question(self, span: TimeRange) -> LedgerQuestion:
        """Return what is asked about ``[start, end)``, by the rules in force."""
        rules = self._rules
        return LedgerQuestion(
            start=span[0],
            end=span[1],
            known=self.known,
            repeat_ms=rules.repeat_ms,
            return_ms=rules.return_ms,
            per_channel=rules.per_channel,
        )

    async def _sums(
        self, family: LedgerFamily, spans: Sequence[TimeRange], groups: Sequence[str]
    ) -> list[FamilySums]:
        asked = [self.question(span) for span in spans]
        found = await sums_of_windows(self._ledger.queries, family, asked, groups)
        return await asyncio.to_thread(lambda: [_family_sums(family, groups, one) for one in found])

    def zones_in_use(self) -> list[str]:
        """Return the zones by whose clocks days begin."""
        targets = self._targets
        named = [*targets.queues, ""]
        channels = {*targets.channels, "", *(c for own in targets.queues.values() for c in own.channels)}
        return sorted({targets.rule(queue, channel).zone for queue in named for channel in channels})

    def _of_zones(self, parts: dict[str, WindowSums]) -> WindowSums:
        """Return one window of all queues, each by its own zone."""
        families: dict[str, FamilySums] = {}
        failed: dict[str, str] = {}
        unknown: list[TimeRange] = []
        for zone, part in parts.items():
            failed |= part.failed
            unknown += part.unknown
            for name, found in part.families.items():
                mine = [row for row in found.rows if self.zone_of(row[0]) == zone]
                before = families.get(name, FamilySums(found.names, []))
                families[name] = replace(before, rows=[*before.rows, *mine])
        start = min(part.start for part in parts.values())
        complete = {name: found for name, found in families.items() if name not in failed}
        return WindowSums(start, self._now, complete, together(unknown), failed)

    def zone_of(self, key: SumsKey) -> str:
        """Return the zone of where something counts."""
        place = key.queue or "", key.channel or ""
        if place not in self._zones:
            self._zones[place] = self._targets.rule(*place).zone
        return self._zones[place]


def groups_of(family: LedgerFamily, group: str | None) -> tuple[str, ...] | None:
    """Return by what a family is split: its place, the group, the currency; ``None``: it does not know that group.

    Customers and agents belong to no queue: without a group they are split by segment, or by team.
    """
    if not {*PLACE} <= {*family.groups}:
        own = group or next(name for name in UNPLACED if name in family.groups)
        return (own,) if own in family.groups else None
    if group is not None and group not in family.groups:
        return None
    money = ("currency",) if "currency" in family.groups else ()
    return (*PLACE, *(() if group is None or group in PLACE else (group,)), *money)


def _family_sums(family: LedgerFamily, groups: Sequence[str], found: GroupSums) -> FamilySums:
    for counted in found.values():
        for name, total in counted.items():
            if abs(total) > LARGEST:
                raise TooLargeQueryError(
                    f"the ledger's {name} of {family.name} is {total:,}: more than 64 bits, so some amounts must be wrong"
                )
    rows = [
        (_key(groups, key), tuple(counted.values()))
        for key, counted in sorted(found.items(), key=str)
        if any(counted.values())
    ]
    return FamilySums(family.sums, rows)


def _key(groups: Sequence[str], key: tuple[str | None, ...]) -> SumsKey:
    named = dict(zip(groups, key, strict=True))
    places = named.pop("queue", None), named.pop("channel", None)
    currency = named.pop("currency", None)
    return SumsKey(*places, next(iter(named.values()), None), currency)


def told(ledger: OpenedLedger) -> int:
    """Return up to when all partitions were told everything, ms."""
    counting = [one.time for one in ledger.coverages if one.partition in ledger.moments and one.time > 0]
    return min(counting, default=0)


def unknown_in(ledger: OpenedLedger, span: TimeRange) -> list[TimeRange]:
    """Return the stretches of a time of which contacts are missing."""
    cut = (one.within(*span) for one in ledger.unknown)
    return [(one.since, span[1] if one.until is None else one.until) for one in cut if one is not None]


def together(stretches: Sequence[TimeRange]) -> list[TimeRange]:
    """Return stretches as few as possible, in order."""
    found: list[TimeRange] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found
