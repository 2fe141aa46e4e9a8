"""Sales by kind, beside the contacts that were handled."""

from __future__ import annotations

from typing import Final

from stream_app.model.currencies import CURRENCIES
from stream_app.model.reasons import SALE_KINDS

from .query import GROUPS, LedgerFamily
from .stays import last_visits

_KINDS: Final = (*dict.fromkeys(SALE_KINDS.values()), "other", "unstated")
_CLASS: Final = " ".join(
    f"when lower(sold_kind) = '{name}' then '{counted}'" for name, counted in SALE_KINDS.items()
)
_CODES: Final = ", ".join(f"'{code}'" for code in CURRENCIES)
_WHERE: Final = "queue, channel, agent, team, site, customer, contact_reason, handled_by"
_SALES: Final = ("sales", *(f"sales_{kind}" for kind in _KINDS))
_AMOUNTS: Final = ("amount", *(f"amount_{kind}" for kind in _KINDS))
_OF_KIND: Final = ",\n        ".join(
    f"case when class = '{kind}' then {of} else 0 end as {name}_{kind}"
    for name, of in (("sales", "sign"), ("amount", "sign * sold_amount"))
    for kind in _KINDS
)
_NONE: Final = ", ".join(f"0 as {name}" for name in (*_SALES, *_AMOUNTS))

SALES: Final = LedgerFamily(
    name="sales",
    sampled=True,
    steps=(
        f"""
asked as (
    select *,
        case when coalesce(sold_kind, '') = '' then 'unstated' {_CLASS} else 'other' end as class
    from opinions
    where "time" >= :start_time and "time" < :end_time and "at" >= :start and "at" < :end and sold_at is not null
)""",
        last_visits("asked"),
        f"""
sold as (
    select
        asked.queue as queue, asked.channel as channel, asked.agent as agent, asked.team as team, asked.site as site,
        asked.customer as customer, contacts.contact_reason as contact_reason, contacts.handled_by as handled_by,
        asked.contact_id as contact_id, asked."at" as sampled_at,
        nullif(sold_kind, '') as sale_kind,
        [{_CODES}][coalesce(sold_currency, 0) + 1] as currency,
        sign as sales, sign * sold_amount as amount,
        {_OF_KIND}
    from asked
    left join contacts on contacts.contact_id = asked.contact_id
)""",
        f"""
samples as (
    select {_WHERE}, contact_id, sampled_at, sale_kind, currency, 0 as handled, {", ".join((*_SALES, *_AMOUNTS))}
    from sold
    union all
    select
        queue, channel, agent, team, site, customer, contact_reason,
        case when to_bot_at is null then 'people' when answered_at is null then 'bot' else 'both' end as handled_by,
        contact_id, handled_at as sampled_at, null as sale_kind, null as currency, 1 as handled, {_NONE}
    from visits
    where not outbound and handled_time >= :start_time and handled_time < :end_time
        and handled_at >= :start and handled_at < :end
)""",
    ),
    sums=("handled", *_SALES, *_AMOUNTS),
    groups=(*GROUPS, "sale_kind", "currency"),
    signed=True,
)
"""Amounts are of several currencies: add ``currency`` to the groups, and see ``LedgerRevenue``."""
