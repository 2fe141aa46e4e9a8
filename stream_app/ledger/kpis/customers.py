"""Customers: who stays, who leaves, what they are worth."""

from __future__ import annotations

from typing import Final

from .journeys import JOURNEY_STEPS
from .query import LedgerFamily, in_window_before

_PRESENT: Final = (
    """
moves as (
    select customer, event,
        case when "at" < :start then 1 else 0 end as before_start,
        row_number() over (
            partition by customer, case when "at" < :start then 1 else 0 end
            order by "at" desc, "partition" desc, "offset" desc, n desc
        ) as nth
    from customers
    where event in ('joined', 'left') and "at" < :end and customer is not null
)""",
    """
present as (
    select customer,
        max(case when before_start = 1 and event = 'joined' then 1 else 0 end) as at_start,
        max(case when before_start = 0 then 1 else 0 end) as moved,
        max(case when before_start = 0 and event = 'joined' then 1 else 0 end) as moved_in
    from moves
    where nth = 1
    group by customer
)""",
    """
known as (
    select customer, at_start, case when moved = 1 then moved_in else at_start end as at_end
    from present
)""",
)

CUSTOMERS: Final = LedgerFamily(
    name="customers",
    steps=(
        *_PRESENT,
        """
worth as (
    select customer, purchase_value * purchases_per_year * years as worth
    from (
        select customer, purchase_value, purchases_per_year, years,
            row_number() over (partition by customer order by "at" desc, "partition" desc, "offset" desc, n desc) as nth
        from customers
        where event = 'valued' and "at" < :end and customer is not null
    ) as valuations
    where nth = 1 and purchase_value is not null and purchases_per_year is not null and years is not null
)""",
        """
samples as (
    select
        known.customer as customer, at_start, at_end,
        at_start * at_end as kept,
        at_start * (1 - at_end) as lost,
        case when worth.worth is null then 0 else at_end end as valued,
        cast(floor(10000 * coalesce(worth.worth, 0) + 0.5) as bigint) * at_end as value
    from known
    left join worth on worth.customer = known.customer
    where at_start + at_end > 0
)""",
    ),
    sums=("at_start", "at_end", "kept", "lost", "valued", "value"),
    groups=("segment",),
)

CHURN_BY_RESOLUTION: Final = LedgerFamily(
    name="churn_by_resolution",
    steps=(
        *map(in_window_before, JOURNEY_STEPS),
        """
helped as (
    select
        customer as helped_customer,
        min(is_first * concludes * (1 - followed)) as at_first_contact
    from judged
    where of_customer = 1
    group by customer
)""",
        *_PRESENT,
        """
samples as (
    select
        known.customer as customer,
        case when at_first_contact = 1 then 1 else 0 end as resolved,
        case when at_first_contact = 1 then 1 - at_end else 0 end as resolved_lost,
        case when at_first_contact = 0 then 1 else 0 end as unresolved,
        case when at_first_contact = 0 then 1 - at_end else 0 end as unresolved_lost,
        case when at_first_contact is null then 1 else 0 end as silent,
        case when at_first_contact is null then 1 - at_end else 0 end as silent_lost
    from known
    left join helped on helped_customer = known.customer
    where at_start = 1
)""",
    ),
    sums=("resolved", "resolved_lost", "unresolved", "unresolved_lost", "silent", "silent_lost"),
    groups=("segment",),
)
"""Of the customers at the window's start, by what became of their contacts in the window before, which is as long."""
