"""What a plan assumes: the targets of each queue and channel, and what overrides them."""

from __future__ import annotations

from math import inf
from typing import Final

from msgspec import Struct

from stream_app.model.targets import QueueTargets

from .concurrency import ONE, Concurrency
from .required import Goals, Model

DEFERRED: Final = frozenset({"email", "callback"})
"""Channels with deferred work; the answer target is its deadline."""
_ONE_AT_A_TIME: Final = frozenset({"voice"})


class Assumptions(Struct, frozen=True):
    """The assumptions of a whole plan. ``None``: those of the targets, by queue and channel.

    Attributes:
        model: the model of queues with waiting contacts.
        shrinkage: share of scheduled time that is not work on contacts.
        occupancy: agents are busy for at most this share of their time; 1 is no bound.
        patience_s: mean patience in seconds where a row has none; only for Erlang A.
        asa_s: the longest mean wait in seconds.
        concurrency: contacts at once, other than calls and deferred work; handle times are assumed to be measured at it.
        deferred: channels with deferred work.
        aht_s: average handle time in seconds of queues without one in any row; ``None``: these have no plan.
    """

    model: Model = "erlang-a"
    shrinkage: float | None = None
    occupancy: float | None = None
    patience_s: float | None = None
    asa_s: float | None = None
    concurrency: Concurrency | None = None
    deferred: frozenset[str] = DEFERRED
    aht_s: float | None = None

    def of(self, rule: QueueTargets, channel: str) -> QueueAssumptions:
        """Return what holds for a queue and channel with these targets."""
        waits = channel in self.deferred
        concurrency = Concurrency(rule.concurrency) if self.concurrency is None else self.concurrency
        patience_s = rule.patience_s if self.patience_s is None else self.patience_s
        return QueueAssumptions(
            deferred=waits,
            model=self.model,
            occupancy=rule.occupancy_max if self.occupancy is None else self.occupancy,
            asa_s=rule.asa_max_s if self.asa_s is None else self.asa_s,
            shrinkage=rule.shrinkage if self.shrinkage is None else self.shrinkage,
            patience_s=patience_s if self.model == "erlang-a" and not waits else inf,
            concurrency=ONE if waits or channel in _ONE_AT_A_TIME else concurrency,
        )


class QueueAssumptions(Struct, frozen=True):
    """The assumptions for one queue and channel.

    Attributes:
        deferred: whether its work can wait until its deadline; then neither model nor goals matter.
        model: the model of waiting contacts.
        occupancy: the largest share of their time that agents may be busy.
        asa_s: the longest mean wait in seconds; ``None``: no such goal.
        shrinkage: share of scheduled time that is not work on contacts.
        patience_s: mean, in seconds; infinite: nobody abandons.
        concurrency: contacts at once.
    """

    deferred: bool
    model: Model
    occupancy: float
    asa_s: float | None
    shrinkage: float
    patience_s: float
    concurrency: Concurrency

    def goals(self, rule: QueueTargets) -> Goals:
        """Return what the agents must achieve.

        Raises:
            ValueError: a target that no number of agents reaches.
        """
        return Goals(
            within_s=rule.answer_target / 1000,
            service_level=rule.targets.get("service_level"),
            policy=rule.policy,
            short_s=rule.short_abandon / 1000,
            asa_s=self.asa_s,
            abandonment=rule.targets.get("abandonment") if self.model == "erlang-a" else None,
            occupancy=self.occupancy,
        )
