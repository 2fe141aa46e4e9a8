"""What the targets decide about the KPIs of the ledger: their windows, what work costs, business hours, who owns a queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from stream_app.model.durations import DAY, HOUR
from stream_app.model.events import QueueChannel
from stream_app.model.kpis.from_ledger import Rates

from .document import Targets
from .overrides import FcrPolicy

FCR_POLICY: Final[FcrPolicy] = "by_repeat"
REPEAT_DAYS: Final = 7
BOT_RETURN_H: Final = 24.0
EVERY: Final[QueueChannel] = ("", "")
"""In place of a queue and channel: what is said of no queue or channel in particular."""


class OpenHours(Struct, frozen=True):
    """A stretch of business hours of a queue and channel: a row of the relation ``open_hours``; [opens, closes), ms."""

    queue: str
    channel: str
    opens_at: int
    closes_at: int


class QueueOwner(Struct, frozen=True):
    """Who works a queue and for whom: a row of the relation ``queue_owners``; ``None`` where it is not stated."""

    queue: str
    partner: str | None
    unit: str | None


class LedgerRules(Struct, frozen=True):
    """The rules of one version of the targets.

    Attributes:
        targets: the document.
        fcr_policy: how first contact resolution is measured where nobody asks for another way.
        repeat_ms: for how long a contact that comes again, or a case that is reopened, takes a resolution back.
        return_ms: for how long a contact that comes again takes a bot's resolution back.
        per_channel: whether only a contact in the same channel is a contact that comes again.
    """

    targets: Targets
    fcr_policy: FcrPolicy
    repeat_ms: int
    return_ms: int
    per_channel: bool

    @classmethod
    def of(cls, targets: Targets) -> LedgerRules:
        """Return the rules that a document sets, with the defaults for what it leaves out."""
        own = targets.ledger
        days = REPEAT_DAYS if own.repeat_days is None else own.repeat_days
        hours = BOT_RETURN_H if own.bot_return_h is None else own.bot_return_h
        return cls(
            targets=targets,
            fcr_policy=own.fcr_policy or FCR_POLICY,
            repeat_ms=days * DAY,
            return_ms=round(hours * HOUR),
            per_channel=bool(own.repeat_per_channel),
        )

    def rates(self, place: QueueChannel) -> Rates | None:
        """Return what work costs in a queue and channel; ``None`` where no cost is set: then it is unknown, and not 0."""
        rule = self.targets.rule(*place)
        if rule.currency is None or not rule.has_costs:
            return None
        return Rates(
            rule.currency,
            per_hour=rule.cost_per_hour or 0.0,
            overhead_per_hour=rule.overhead_per_hour or 0.0,
            per_contact=rule.cost_per_contact or 0.0,
            at_once=rule.at_once,
        )

    def aims(self, place: QueueChannel) -> Mapping[str, float]:
        """Return what a queue and channel aim at: KPI of the ledger → its target, in its unit."""
        return self.targets.rule(*place).ledger_targets

    def open_hours(self, places: Iterable[QueueChannel], start: int, end: int) -> Iterator[OpenHours]:
        """Yield the business hours within [start, end), in ms, of those queues and channels that have a calendar.

        One that is closed throughout has a stretch of no length: without any it would count as always open.
        """
        for queue, channel in places:
            calendar = self.targets.rule(queue, channel).calendar
            if calendar is None:
                continue
            found = False
            for opens, closes in calendar.periods(start):
                if opens >= end:
                    break
                found = True
                yield OpenHours(queue, channel, opens, min(closes, end))
            if not found:
                yield OpenHours(queue, channel, start, start)

    def owners(self, queues: Iterable[str]) -> Iterator[QueueOwner]:
        """Yield of which partner and which business unit each queue is, as far as the targets state it."""
        for queue in queues:
            own = self.targets.queues.get(queue)
            if own is not None and (own.partner or own.unit is not None):
                yield QueueOwner(queue, own.site if own.partner else None, own.unit)
