"""The families' sums over the windows that are served, of one opened ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
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
from .asking import GroupSums, OpenStretch, bounded, prepare, sums, sums_by_period
from .query import LedgerFamily, LedgerQuestion

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
        longest = sorted(
            windows, key=lambda name: LEDGER_WINDOWS[name] or 0, reverse=True
        )  # it serves the others
        made = {name: await self.window(name, group) for name in longest}
        found = {name: made[name] for name in windows}
        return LedgerNumbers(self._now, self.known, found, round(1000 * (monotonic() - begun)))

    async def window(self, name: LedgerWindow, group: str | None = None) -> WindowSums:
        """Return a window. Days begin by each queue's own clock: there is a question for each zone."""
        span = LEDGER_WINDOWS[name]
        if span is not None:
            return await self.between((self._now - span, self._now), group)
        parts: dict[str, WindowSums] = {}
        for zone in self.zones_in_use():
            parts[zone] = await self.between((midnight(self._now, zone), self._now), group)
        return self._of_zones(parts)

    async def between(self, span: TimeRange, group: str | None = None) -> WindowSums:
        """Return what was counted in ``[start, end)``."""
        asked = self.question(span)
        families: dict[str, FamilySums] = {}
        failed: dict[str, str] = {}
        for family in self._families:
            if (groups := groups_of(family, group)) is None:
                continue
            try:
                async with asyncio.timeout_at(self._until):
                    families[family.name] = await self._sums(family, asked, groups)
            except (TooSlowQueryError, TooLargeQueryError, FailedQueryError) as error:
                failed[family.name] = str(error)
            except TimeoutError:
                failed[family.name] = (
                    f"the ledger was asked for too much: no answer within {self._within_s:g} s"
                )
        return WindowSums(*span, families, unknown_in(self._ledger, span), failed)

    async def one(self, family: str, span: TimeRange, group: str | None = None) -> FamilySums:
        """Return what one family counted.

        Raises:
            TooSlowQueryError: it takes too long.
            TooLargeQueryError: it needs too much memory.
        """
        asked = self.question(span)
        return await self._sums(FAMILIES[family], asked, groups_of(FAMILIES[family], group) or ())

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

    async def _sums(self, family: LedgerFamily, asked: LedgerQuestion, groups: Sequence[str]) -> FamilySums:
        found = await sums(self._ledger.queries, family, asked, groups)
        return await asyncio.to_thread(_family_sums, family, groups, found)

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
