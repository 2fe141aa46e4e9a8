"""Cases: whether one contact was enough, how long they take, which come back, which are escalated, which are unresolved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .query import LedgerFamily
from .stays import GOES_ON, LOOKED_UP_COLUMNS, stays_of

_NAMED: Final = """
named as (
    select distinct case_id as named_case, contact_id as named_contact from told where contact_id is not null
)"""
_OF_CASES: Final = """
of_cases as (
    select visits.*, "case" as case_id
    from visits
    where "case" in (select case_id from told)
    union all
    select visits.*, named_case as case_id
    from visits
    join named on named_contact = contact_id
    where coalesce("case" <> named_case, true)
)"""
"""Ids are compared as they are stored, and one kind at a time: an engine reads no more of the other rows."""
_STAYS_OF: Final = (_NAMED, _OF_CASES, stays_of("of_cases", "case_id", name="stays_of"))
_FIRST_OPENED: Final = """coalesce(
            min(told.opened_at), min(case when told.event = 'opened' then told.at end)
        ) as told_opened"""


def _place(of: str) -> str:
    """Return the columns of where a case counts: as its event tells, if that names a queue, else as its stay does.

    Its contact is that of the event, or else of the stay.
    """
    names = ("queue", "channel", "agent", "team", "site", "customer")
    chosen = (f"case when {of}.queue = '' then stay.{name} else {of}.{name} end as {name}" for name in names)
    of_stay = (f"stay.{name} as {name}" for name in ("contact_reason", "handled_by"))
    return ", ".join((*chosen, *of_stay, f"coalesce({of}.contact_id, stay.contact_id) as contact_id"))


_COLUMNS: Final = """
        "case" as case_id, event, "at", contact_id, tier, opened_at, coalesce(queue, '') as queue,
        nullif(channel, '') as channel, agent, team, site, customer,
        row_number() over (partition by "case" order by "at", "partition", "offset", n) as place"""

_ABOUT: Final = ("contact_id", "case_id", "customer", "agent", "queue", "channel")
RESOLVED_CASES: Final = LedgerFamily(
    name="resolved_cases",
    sampled=True,
    steps=(
        f"""
told as (
    select {_COLUMNS}
    from cases
    where "case" in (
        select "case" from cases
        where event = 'resolved' and "time" >= :start_time and "time" < :end_time and "at" >= :start and "at" < :end
    )
)""",
        """
resolutions as (
    select *
    from (
        select *, row_number() over (partition by case_id order by place) as nth
        from told
        where event = 'resolved'
    ) as every
    where nth = 1 and "at" >= :start and "at" < :end
)""",
        *_STAYS_OF,
        """
ordered as (
    select stays_of.*, resolved_at,
        min(passed_at) over (
            partition by case_id order by started_at, row_offset, row_partition, row_n
            rows between 1 preceding and 1 preceding
        ) as passed_before,
        row_number() over (
            partition by case_id
            order by
                case when started_at <= resolved_at then 0 else 1 end,
                started_at desc, row_offset desc, row_partition desc, row_n desc
        ) as from_last
    from stays_of
    join (select case_id as resolved_case, "at" as resolved_at from resolutions) as resolved on resolved_case = case_id
)""",
        f"""
of_stays as (
    select case_id as has_stays,
        min(started_at) as first_started,
        sum(case when {GOES_ON} or started_at > resolved_at + :repeat_ms then 0 else 1 end) as begun_contacts,
        sum(case when handled_at <= resolved_at then coalesce(handled_pending_ms, 0) else 0 end) as all_pending_ms
    from ordered
    group by case_id
)""",
        f"""
of_events as (
    select told.case_id as has_events,
        max(case when told.event = 'reopened' and told.at <= resolutions.at + :repeat_ms then 1 else 0 end) as back,
        max(
            case
                when told.event = 'reopened' and told.at <= resolutions.at + :repeat_ms
                    and told.place > resolutions.place then 1
                else 0
            end
        ) as reopened,
        max(case when told.event = 'resolved' then told.at end) as last_at,
        max(case when told.event = 'resolved' then told.place end) as last_place,
        max(case when told.event = 'reopened' then told.place end) as reopened_place,
        {_FIRST_OPENED}
    from told
    join resolutions on resolutions.case_id = told.case_id
    group by told.case_id
)""",
        f"""
placed as (
    select
        resolution.case_id as case_id, resolution.at as resolved_at, {_place("resolution")}
    from resolutions as resolution
    left join (select * from ordered where from_last = 1 and started_at <= resolved_at) as stay
        on stay.case_id = resolution.case_id
)""",
        """
measured as (
    select placed.*,
        coalesce(begun_contacts, 0) as contacts, coalesce(all_pending_ms, 0) as pending_ms,
        back, reopened, last_at,
        coalesce(told_opened, first_started) as opened,
        case when coalesce(reopened_place > last_place, false) then 0 else 1 end as is_full,
        case when :known > resolved_at + :repeat_ms then 1 else 0 end as settled
    from placed
    join of_events on has_events = case_id
    left join of_stays on has_stays = case_id
)""",
        """
business as (
    select case_id as has_hours,
        sum(greatest(0, least(closes_at, resolved_at) - greatest(opens_at, opened))) as first_open,
        sum(greatest(0, least(closes_at, last_at) - greatest(opens_at, opened))) as last_open
    from measured
    join (select queue as open_queue, channel as open_channel, opens_at, closes_at from open_hours) as stretches
        on open_queue = queue and open_channel = channel
    where opened is not null and closes_at > opened and opens_at < last_at
    group by case_id
)""",
        """
timed as (
    select measured.*,
        case when opened is null then 0 else 1 end as timed,
        case when opened is null then 0 else greatest(0, resolved_at - opened) end as first_ms,
        case when opened is null then 0 else greatest(0, resolved_at - opened - pending_ms) end as active_ms,
        case when opened is null or is_full = 0 then 0 else 1 end as is_timed_full,
        case when opened is null then 0 else greatest(0, last_at - opened) end as last_ms,
        first_open, last_open,
        case when (queue, channel) in (select queue, channel from open_hours) then 1 else 0 end as by_hours
    from measured
    left join business on has_hours = case_id
)""",
        """
samples as (
    select
        queue, channel, agent, team, site, customer, contact_reason, handled_by, case_id, contact_id,
        resolved_at as sampled_at,
        1 as resolved_cases,
        case when contacts > 0 then 1 else 0 end as with_contact,
        case when contacts = 1 and back = 0 then 1 else 0 end as by_one_contact,
        reopened,
        settled as settled_resolved_cases,
        case when contacts > 0 then settled else 0 end as settled_with_contact,
        case when contacts = 1 and back = 0 then settled else 0 end as settled_by_one_contact,
        settled * reopened as settled_reopened,
        timed, first_ms, active_ms,
        case when by_hours = 1 then coalesce(first_open, 0) else first_ms end as first_open_ms,
        is_timed_full as full_timed,
        is_timed_full * last_ms as full_ms,
        is_timed_full * case when by_hours = 1 then coalesce(last_open, 0) else last_ms end as full_open_ms
    from timed
)""",
    ),
    apart=("told", "stays_of"),
    sums=(
        "resolved_cases",
        "with_contact",
        "by_one_contact",
        "reopened",
        "settled_resolved_cases",
        "settled_with_contact",
        "settled_by_one_contact",
        "settled_reopened",
        "timed",
        "first_ms",
        "active_ms",
        "first_open_ms",
        "full_timed",
        "full_ms",
        "full_open_ms",
    ),
    about=_ABOUT,
)


def _begun(before: str, which: str) -> tuple[str, ...]:
    """Return the steps to cases that are known by what came before a moment, with where they count.

    Args:
        before: the moment.
        which: the query for the keys of all cases that may count, and maybe of more.
    """
    return (
        f"""
candidates as ({which}
)""",
        f"""
told as (
    select {_COLUMNS}
    from cases
    where "at" < {before} and case_key in (select candidate from candidates)
)""",
        *_STAYS_OF,
        f"""
firsts as (
    select *
    from (
        select *,
            row_number() over (partition by case_id order by started_at, row_offset, row_partition, row_n) as nth
        from stays_of
        where started_at < {before}
    ) as every
    where nth = 1
)""",
        f"""
of_events as (
    select case_id,
        min("at") as first_at,
        max(case when event = 'escalated' then 1 else 0 end) as escalated,
        max(case when event = 'escalated' then tier end) as to_tier,
        max(case when event = 'resolved' then place end) as resolved_place,
        max(case when event = 'reopened' then place end) as reopened_place,
        {_FIRST_OPENED}
    from told
    group by case_id
)""",
        f"""
begun as (
    select event.case_id as case_id, {_place("event")},
        coalesce(told_opened, stay.started_at, first_at) as began,
        escalated, to_tier, resolved_place, reopened_place
    from (select * from told where place = 1) as event
    join of_events on of_events.case_id = event.case_id
    left join firsts as stay on stay.case_id = event.case_id
)""",
    )


BEGUN_CASES: Final = LedgerFamily(
    name="begun_cases",
    sampled=True,
    steps=(
        *_begun(
            "9000000000000000",
            """
    select distinct case_key as candidate
    from (
        select case_key from cases
        where ("at" >= :start and "at" < :end) or (opened_at >= :start and opened_at < :end)
        union all
        select case_key from visits
        where started_time >= :start_time and started_time < :end_time and "case" is not null
        union all
        select case_key from cases
        where contact_key in (
            select contact_key from visits where started_time >= :start_time and started_time < :end_time
        )
    ) as touched""",
        ),
        """
samples as (
    select
        queue, channel, agent, team, site, customer, contact_reason, handled_by, case_id, contact_id,
        began as sampled_at,
        1 as begun,
        escalated,
        case when to_tier = 2 then 1 else 0 end as to_tier_2,
        case when to_tier = 3 then 1 else 0 end as to_tier_3,
        case when to_tier > 3 then 1 else 0 end as above_tier_3,
        case when coalesce(to_tier, 0) < 2 then escalated else 0 end as to_other_tier
    from begun
    where began >= :start and began < :end
)""",
    ),
    apart=("candidates", "told", "stays_of"),
    sums=("begun", "escalated", "to_tier_2", "to_tier_3", "above_tier_3", "to_other_tier"),
    about=_ABOUT,
)

UNRESOLVED_CASES: Final = LedgerFamily(
    name="unresolved_cases",
    steps=(
        *_begun(
            ":end",
            """
    select case_key as candidate
    from cases
    where "at" < :end and case_key is not null
    group by case_key
    having max(case when event = 'resolved' then 1 else 0 end) = 0
        or max(case when event = 'reopened' then 1 else 0 end) = 1""",
        ),
        """
samples as (
    select
        queue, channel, agent, team, site, customer, contact_reason, handled_by, case_id, contact_id,
        began as since,
        1 as unresolved,
        case when :end - began <= 86400000 then 1 else 0 end as up_to_1_days,
        case when :end - began > 86400000 and :end - began <= 259200000 then 1 else 0 end as up_to_3_days,
        case when :end - began > 259200000 and :end - began <= 604800000 then 1 else 0 end as up_to_7_days,
        case when :end - began > 604800000 and :end - began <= 2592000000 then 1 else 0 end as up_to_30_days,
        case when :end - began > 2592000000 then 1 else 0 end as older
    from begun
    where began < :end and (resolved_place is null or coalesce(reopened_place > resolved_place, false))
)""",
    ),
    apart=("candidates", "told", "stays_of"),
    sums=("unresolved", "up_to_1_days", "up_to_3_days", "up_to_7_days", "up_to_30_days", "older"),
    about=_ABOUT,
    since="since",
)
"""At the window's end; its beginning has no effect."""

CASES: Final = (RESOLVED_CASES, BEGUN_CASES, UNRESOLVED_CASES)
"""All of these look up the visits of cases, for which the engine reads the ids of all visits that there are."""


def visits_of_cases(told: Sequence[str]) -> str:
    """Return the SQL of all visits that any of these families looks up.

    Args:
        told: the tables of their steps ``told``.
    """
    cases = " union ".join(f"select case_id from {one}" for one in told)
    contacts = " union ".join(f"select contact_id from {one} where contact_id is not null" for one in told)
    return f'select {LOOKED_UP_COLUMNS} from visits where "case" in ({cases}) or contact_id in ({contacts})'
