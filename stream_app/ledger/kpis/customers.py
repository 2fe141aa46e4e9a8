"""Customers: who stays, who leaves, what they are worth."""

from __future__ import annotations

from typing import Final

from stream_app.model.currencies import MOST as DEAREST
from stream_app.model.customers import MOST_PURCHASES, MOST_YEARS

from .journeys import JOURNEY_STEPS
from .query import LedgerFamily, in_window_before

_PRESENT: Final = (
    """
moves as (
    select customer, event, "at" as moved_at,
        case when "at" < :start then 1 else 0 end as before_start,
        row_number() over (
            partition by customer, case when "at" < :start then 1 else 0 end
            order by "at" desc, "partition" desc, "offset" desc, n desc
        ) as nth
    from customers
    where event in ('joined', 'left') and "at" < :end and customer is not null and customer_key % :slices = :slice
)""",
    """
present as (
    select customer,
        max(case when before_start = 1 and event = 'joined' then 1 else 0 end) as at_start,
        max(case when before_start = 0 then 1 else 0 end) as moved,
        max(case when before_start = 0 and event = 'joined' then 1 else 0 end) as moved_in,
        max(moved_at) as since
    from moves
    where nth = 1
    group by customer
)""",
    """
known as (
    select customer, since, at_start, case when moved = 1 then moved_in else at_start end as at_end
    from present
)""",
)

CUSTOMERS: Final = LedgerFamily(
    name="customers",
    steps=(
        *_PRESENT,
        f"""
worth as (
    select customer, purchase_value * purchases_per_year * years as worth
    from (
        select customer, purchase_value, purchases_per_year, years,
            row_number() over (partition by customer order by "at" desc, "partition" desc, "offset" desc, n desc) as nth
        from customers
        where event = 'valued' and "at" < :end and customer is not null
    ) as valuations
    where nth = 1 and purchase_value between 0 and {DEAREST} and purchases_per_year between 0 and {MOST_PURCHASES}
        and years between 0 and {MOST_YEARS}
)""",
        """
samples as (
    select
        known.customer as customer, since, at_start, at_end,
        at_start * at_end as kept,
        at_start * (1 - at_end) as lost,
        case when worth.worth is null then 0 else at_end end as valued,
        case when at_end = 1 then cast(floor(10000 * coalesce(worth.worth, 0) + 0.5) as decimal(38, 0)) else 0 end as value
    from known
    left join worth on worth.customer = known.customer
    where at_start + at_end > 0
)""",
    ),
    sums=("at_start", "at_end", "kept", "lost", "valued", "value"),
    groups=("segment",),
    about=("customer",),
    since="since",
)
"""Rows may tell what no event may: former versions took any number. Nothing is known by these."""

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
        known.customer as customer, since,
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
    looks_back="by_reach_before",
    needs="customers",
    groups=("segment",),
    about=("customer",),
    since="since",
)
"""Of the customers at the window's start, by what became of their contacts in the window before, which is as long."""
