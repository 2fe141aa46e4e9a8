"""Quality reviews, criterion by criterion."""

from __future__ import annotations

from typing import Final

from .query import GROUPS, LedgerFamily
from .stays import last_visits

CRITERIA: Final = LedgerFamily(
    name="criteria",
    sampled=True,
    steps=(
        """
scores as (
    select * from criteria where "at" >= :start and "at" < :end
)""",
        last_visits("scores"),
        """
samples as (
    select
        scores.queue as queue, scores.channel as channel, scores.agent as agent, scores.team as team, scores.site as site,
        scores.customer as customer, contacts.contact_reason as contact_reason, contacts.handled_by as handled_by,
        scores.contact_id as contact_id, criterion, scores."at" as sampled_at,
        case when automatic then 0 else 1 end as scored,
        case when automatic then 0 else score end as scored_total,
        case when automatic then 1 else 0 end as auto_scored,
        case when automatic then score else 0 end as auto_scored_total
    from scores
    left join contacts on contacts.contact_id = scores.contact_id
)""",
    ),
    sums=("scored", "scored_total", "auto_scored", "auto_scored_total"),
    groups=(*GROUPS, "criterion"),
    about=("contact_id", "customer", "agent", "criterion", "queue", "channel"),
)
