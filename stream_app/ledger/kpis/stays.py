"""Steps that several families share: stays, and which of them go on with the one before."""

from __future__ import annotations

from typing import Final

WHERE: Final = "queue, channel, agent, team, site, customer, contact_reason, handled_by"
"""The columns that samples are split by; the segment follows from the customer."""

_STAYS: Final = """
stays as (
    select
        :more person, contact_id, started_at, "partition" as row_partition, "offset" as row_offset, n as row_n,
        queue, channel, agent, team, site, customer, contact_reason,
        case
            when transferred_time is not null then transferred_at
            when left_reason = 'transfer' then left_at
        end as passed_at,
        handled_at, handled_transferred, handled_pending_ms,
        case when to_bot_time is null then 'people' when answered_time is null then 'bot' else 'both' end as handled_by,
        case
            when coalesce(
                handled_time, abandoned_time, left_time, lost_time, contained_time, returned_time, ended_with_bot_time,
                unfinished_time
            ) is null then 0
            else 1
        end as is_over,
        to_bot_at, contained_at
    from :visits
    where not outbound and coalesce(left_demand, true) and person is not null
)"""


LOOKED_UP_COLUMNS: Final = (
    'person, contact_id, "case", started_at, "partition", "offset", n, queue, channel, agent, team, site, customer, '
    "contact_reason, outbound, left_demand, transferred_time, transferred_at, left_reason, left_at, handled_at, "
    "handled_transferred, handled_pending_ms, to_bot_time, to_bot_at, answered_time, handled_time, abandoned_time, left_time, "
    "lost_time, contained_time, contained_at, returned_time, ended_with_bot_time, unfinished_time"
)
"""Of a visit, what a stay of a case is made of."""


def stays_of(visits: str, *more: str, name: str = "stays") -> str:
    """Return the step that finds the stays among these rows of ``visits``.

    Args:
        visits: a step, or the table.
        more: columns that it has besides.
        name: that of the step.
    """
    step = _STAYS.replace(":visits", visits).replace(":more", "".join(f"{column}, " for column in more))
    return step.replace("stays as", f"{name} as", 1)


ORDER: Final = "(partition by person order by started_at, row_offset, row_partition, row_n)"
"""A person's stays in their order."""
GOES_ON: Final = "coalesce(started_at - passed_before between -600000 and 1800000, false)"
"""Of a stay with ``passed_before``, when the one before it was passed on: 30 minutes before it begins, to 10 after."""


_LAST_VISITS: Final = """
contacts as (
    select contact_id, contact_reason, handled_by
    from (
        select contact_id, contact_reason,
            case when to_bot_at is null then 'people' when answered_at is null then 'bot' else 'both' end as handled_by,
            row_number() over (partition by contact_id order by started_at desc, "offset" desc, "partition" desc, n desc) as nth
        from visits
        where not outbound and contact_id in (select contact_id from :asked)
    ) as latest
    where nth = 1
)"""


def last_visits(asked: str) -> str:
    """Return the step ``contacts``: what is known by the last inbound visit of each contact of a former step."""
    return _LAST_VISITS.replace(":asked", asked)
