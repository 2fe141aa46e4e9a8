"""Agents' time: what each of them did at every moment, however many contacts they had at once."""

from __future__ import annotations

from typing import Final

from stream_app.model.targets.conversations import SPOKEN

from .query import LedgerFamily

MOST_REFRESHED: Final = 500_000
"""Each visit is four marks in time, which are sorted: a few seconds for so many."""
_SPOKEN: Final = f"channel in {tuple(sorted(SPOKEN))}"

WORKED: Final = (
    """
answered as (
    select agent, contact_id, queue, channel, visit_at, began, open_state, open_since,
        case
            when finished is null then null
            when stated then finished - wrap
            when finished - wrap < began + talk + hold then finished - wrap
            else began + talk + hold
        end as talked_until,
        finished - wrap as wrapped_from, finished
    from (
        select agent, contact_id, queue, channel, started_at as visit_at, coalesce(answered_at, called_out_at) as began,
            open_state, open_since, coalesce(handled_at, outbound_handled_at) as finished,
            coalesce(handled_talk_ms, outbound_handled_talk_ms) as talk,
            coalesce(handled_hold_ms, outbound_handled_hold_ms) as hold,
            coalesce(handled_wrap_ms, outbound_handled_wrap_ms) as wrap,
            coalesce(handled_stated and not handled_timed_out, false) as stated
        from visits
        where agent is not null
            and (handled_time >= :start_time or outbound_handled_time >= :start_time or open_state is not null)
            and (started_time < :end_time)
    ) as of_agents
)""",
    f"""
worked as (
    select agent, contact_id, queue, channel, visit_at, began, talked_until as ended, 1 as talks
    from answered where finished is not null and {_SPOKEN}
    union all
    select agent, contact_id, queue, channel, visit_at, wrapped_from, finished, 0 from answered where finished is not null
    union all
    select agent, contact_id, queue, channel, visit_at, began, case open_state when 'wrapping' then open_since else :end end, 1
    from answered where open_state in ('talking', 'held', 'wrapping') and {_SPOKEN}
    union all
    select agent, contact_id, queue, channel, visit_at, open_since, :end, 1
    from answered where open_state = 'talking' and not {_SPOKEN}
    union all
    select agent, contact_id, queue, channel, visit_at, open_since, :end, 0 from answered where open_state = 'wrapping'
    union all
    select agent, contact_id, queue, channel, visit_started_at, began_at, ended_at, 1
    from stretches where agent is not null and ended_time >= :start_time and began_time < :end_time
)""",
    """
clipped as (
    select agent, contact_id, queue, channel, visit_at, greatest(began, :start) as began, least(ended, :end) as ended, talks
    from worked where began < :end and ended > :start and began < ended
)""",
)
"""Steps to ``clipped``: each stretch in which an agent talks, writes or wraps up, as far as it is in the window."""

_TOLD: Final = (
    """
told as (
    select agent, team, site, agent_state as state, reason, work, began_at, ended_at, "partition" as row_partition, unended
    from spells
    where began_time < :end_time and (ended_at is null or ended_time >= :start_time)
    group by agent, team, site, agent_state, reason, work, began_at, ended_at, "partition", unended
    having sum(sign) > 0
)""",
    """
nth as (
    select *, row_number() over (partition by agent, began_at order by row_partition desc) as place from told
)""",
    """
following as (
    select *,
        min(began_at) over (
            partition by agent order by began_at rows between 1 following and 1 following
        ) as next_at
    from nth where place = 1
)""",
    """
lasting as (
    select agent, team, site, state, reason, work, coalesce(unended, false) as unended,
        greatest(began_at, :start) as began,
        least(coalesce(ended_at, :end), coalesce(next_at, :end), :end) as ended
    from following
)""",
    """
states as (
    select * from lasting where began < ended
)""",
)

AGENT_TIME: Final = LedgerFamily(
    name="agent_time",
    steps=(
        *WORKED,
        *_TOLD,
        """
marks as (
    select agent, began as moment, talks as talking, 1 - talks as wrapping, null as told_at from clipped
    union all select agent, ended, -talks, talks - 1, null from clipped
    union all select agent, began, 0, 0, began from states
    union all select agent, ended, 0, 0, null from states
)""",
        """
moments as (
    select agent, moment, sum(talking) as talking, sum(wrapping) as wrapping, max(told_at) as told_at
    from marks group by agent, moment
)""",
        """
stretched as (
    select agent, moment,
        sum(talking) over (partition by agent order by moment) as talking,
        sum(wrapping) over (partition by agent order by moment) as wrapping,
        max(told_at) over (partition by agent order by moment) as told_at,
        min(moment) over (partition by agent order by moment rows between 1 following and 1 following) as until
    from moments
)""",
        """
during as (
    select stretched.agent as agent, team, site, state, reason, coalesce(unended, false) as unended,
        coalesce(state, 'offline') <> 'offline' and not coalesce(unended, false) as is_there,
        stretched.moment as sampled_at, stretched.until - stretched.moment as lasted,
        case
            when stretched.talking > 0 or coalesce(work = 'on_contact', false) then 'on_contact'
            when stretched.wrapping > 0 or coalesce(work = 'wrap', false) then 'wrap'
            when state = 'available' then 'available'
            else 'away'
        end as doing
    from stretched
    left join states
        on states.agent = stretched.agent and states.began = stretched.told_at and stretched.moment < states.ended
    where stretched.until is not null
)""",
        """
samples as (
    select agent, team, site, state, reason, sampled_at,
        case when is_there then lasted else 0 end as signed_in_ms,
        case when is_there and doing = 'on_contact' then lasted else 0 end as on_contact_ms,
        case when is_there and doing = 'wrap' then lasted else 0 end as wrap_ms,
        case when is_there and doing = 'available' then lasted else 0 end as available_ms,
        case when is_there and doing = 'away' then lasted else 0 end as away_ms,
        case
            when is_there and state <> 'available' and doing in ('on_contact', 'wrap') then lasted else 0
        end as away_working_ms,
        case when is_there and doing in ('on_contact', 'wrap') then lasted else 0 end as working_ms,
        case when is_there and doing <> 'away' then lasted else 0 end as staffed_ms,
        case when not is_there and not unended and doing in ('on_contact', 'wrap') then lasted else 0 end as outside_ms,
        case when unended then lasted else 0 end as unended_ms
    from during
)""",
    ),
    sums=(
        "signed_in_ms",
        "on_contact_ms",
        "wrap_ms",
        "available_ms",
        "away_ms",
        "away_working_ms",
        "working_ms",
        "staffed_ms",
        "outside_ms",
        "unended_ms",
    ),
    groups=("agent", "team", "site", "state", "reason"),
    looks_back="not",
    most=MOST_REFRESHED,
    about=("agent",),
)
"""No moment of an agent counts twice: with three chats at once an agent is on contact once."""

SHARED_WORK: Final = LedgerFamily(
    name="shared_work",
    steps=(
        *WORKED,
        """
marks as (
    select agent, began as moment, 1 as more from clipped
    union all select agent, ended, -1 from clipped
)""",
        """
moments as (
    select agent, moment, sum(more) as more from marks group by agent, moment
)""",
        """
stretched as (
    select agent, moment, sum(more) over (partition by agent order by moment) as at_once,
        min(moment) over (partition by agent order by moment rows between 1 following and 1 following) as until
    from moments
)""",
        """
shares as (
    select agent, moment, until,
        case when at_once > 0 then (until - moment) * 1.0 / at_once else 0.0 end as share
    from stretched
)""",
        """
shared as (
    select agent, moment,
        coalesce(sum(share) over (
            partition by agent order by moment rows between unbounded preceding and 1 preceding
        ), 0.0) as before
    from shares
)""",
        """
spent as (
    select clipped.agent as agent, contact_id, queue, channel, visit_at, clipped.began as sampled_at,
        clipped.ended - clipped.began as worked_ms,
        cast(round(until.before - since.before) as bigint) as shared_ms
    from clipped
    join shared as since on since.agent = clipped.agent and since.moment = clipped.began
    join shared as until on until.agent = clipped.agent and until.moment = clipped.ended
)""",
        """
whose as (
    select contact_id, queue, channel, started_at, agent, team, site, customer, contact_reason,
        case when to_bot_at is null then 'people' when answered_at is null then 'bot' else 'both' end as handled_by,
        coalesce(handled_at, outbound_handled_at) as over_at,
        case
            when coalesce(handled_at, outbound_handled_at) >= :start and coalesce(handled_at, outbound_handled_at) < :end then 1
            else 0
        end as handled
    from visits
    where handled_time >= :start_time or outbound_handled_time >= :start_time or open_state is not null
)""",
        """
samples as (
    select spent.queue as queue, spent.channel as channel, spent.agent as agent, team, site, customer, contact_reason,
        handled_by, spent.contact_id as contact_id, sampled_at, shared_ms, worked_ms, 0 as handled
    from spent
    left join whose
        on whose.contact_id = spent.contact_id and whose.queue = spent.queue and whose.channel = spent.channel
        and whose.started_at = spent.visit_at
    union all
    select queue, channel, agent, team, site, customer, contact_reason, handled_by, contact_id, over_at, 0, 0, handled
    from whose where handled = 1 and agent is not null
)""",
    ),
    sums=("shared_ms", "worked_ms", "handled"),
    looks_back="not",
    most=MOST_REFRESHED,
)
"""What an agent's time was spent on: a second with three chats is a third of one for each."""
