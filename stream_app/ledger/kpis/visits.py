"""What visits tell by themselves: the bot's part, and the work that is paid for."""

from __future__ import annotations

from typing import Final

from .query import LedgerFamily
from .stays import stays_of

BOTS: Final = LedgerFamily(
    name="bots",
    sampled=True,
    steps=(
        """
near as (
    select * from visits
    where started_time >= :start_time and started_at >= :start and person in (
        select person from visits
        where to_bot_at is not null and contained_at is not null and started_time >= :start_time
            and started_time < :end_time and started_at >= :start and started_at < :end
    )
)""",
        stays_of("near"),
        """
followed as (
    select contact_id, queue, channel, started_at, to_bot_at, contained_at,
        min(started_at) over (
            partition by person order by started_at, row_offset, row_partition, row_n
            rows between 1 following and 1 following
        ) as next_started
    from stays
)""",
        """
contained as (
    select contact_id, queue, channel, started_at,
        max(case when coalesce(next_started <= contained_at + :return_ms, false) then 0 else 1 end) as lasts
    from followed
    where contained_at is not null and to_bot_at is not null and started_at >= :start and started_at < :end
    group by contact_id, queue, channel, started_at
)""",
        """
samples as (
    select
        visits.queue as queue, visits.channel as channel, agent, team, site, customer, contact_reason,
        case when to_bot_at is null then 'people' when answered_at is null then 'bot' else 'both' end as handled_by,
        visits.contact_id as contact_id, visits.started_at as sampled_at,
        1 as inbound,
        case when to_bot_at is null then 0 else 1 end as involved,
        case when from_bot_at is null then 0 else 1 end as handed_over,
        coalesce(contained.lasts, 0) as resolved,
        case
            when to_bot_at is null then 0
            when contained_at is not null then case when :known > contained_at + :return_ms then 1 else 0 end
            when coalesce(
                from_bot_at, handled_at, abandoned_at, left_at, lost_at, returned_at, ended_with_bot_at, unfinished_at
            ) is null then 0
            else 1
        end as settled_involved,
        case when :known > contained_at + :return_ms then coalesce(contained.lasts, 0) else 0 end as settled_resolved
    from visits
    left join contained
        on contained.contact_id = visits.contact_id and contained.queue = visits.queue
        and contained.channel = visits.channel and contained.started_at = visits.started_at
    where not outbound and started_time >= :start_time and started_time < :end_time
        and visits.started_at >= :start and visits.started_at < :end
)""",
    ),
    sums=("inbound", "involved", "handed_over", "resolved", "settled_involved", "settled_resolved"),
    looks_back="not",
    apart=("contained",),
)

WORK: Final = LedgerFamily(
    name="work",
    sampled=True,
    steps=(
        """
samples as (
    select
        queue, channel, agent, team, site, customer, contact_reason,
        case when to_bot_at is null then 'people' when answered_at is null then 'bot' else 'both' end as handled_by,
        contact_id, handled_at as sampled_at,
        1 as handled,
        handled_talk_ms + handled_hold_ms + handled_wrap_ms as work_ms
    from visits
    where not outbound and handled_time >= :start_time and handled_time < :end_time
        and handled_at >= :start and handled_at < :end
)""",
    ),
    sums=("handled", "work_ms"),
    looks_back="not",
)
"""Its cost depends on the queue and channel: add them to the groups, and see ``cost``."""
