"""Customers: who stays, who leaves, what they are worth."""

from __future__ import annotations

from typing import Final

from .query import LedgerFamily

CUSTOMERS: Final = LedgerFamily(
    name="customers",
    steps=(
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
known as (
    select customer, at_start, case when moved = 1 then moved_in else at_start end as at_end
    from present
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
