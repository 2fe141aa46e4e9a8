"""Journeys: whether a first contact was enough, whether customers come again, how often they are passed on.

A month among years must not cost as much as years. Stays that began near the window are looked at, and the histories of the
few people who have a stay that crosses a bound of it: of nobody else does a journey, or a time that matters, lie on both sides.
How far these histories have to go back is what ``reach`` finds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import structs

from .query import GAP, SECOND, LedgerFamily, LedgerQuestion, fill, time_of
from .stays import WHERE, stays_of

_CROSSINGS: Final = (
    ("latest", "transferred_time", "latest_and_gap"),
    ("latest", "left_time", "latest_and_gap"),
    *(
        (bound, ended, f"{bound}{gap}")
        for bound in ("day_before", "earliest")
        for ended, gap in (("handled_time", ""), ("transferred_time", "_and_gap"), ("left_time", "_and_gap"))
    ),
)
"""A query for each: by two bounds alone, an engine skips most files."""
_CROSSING: Final = "\n    union all\n".join(
    f"    select coalesce(customer, contact_id) as crossed, started_at from visits "
    f"where started_time <= :{began} and {ended} >= :{bound}"
    for began, ended, bound in _CROSSINGS
)
_STAYS: Final = (
    f"""
crossing as (
{_CROSSING}
)""",
    """
near as (
    select * from visits
    where started_time >= :earliest and started_time <= :latest
    union all
    select * from visits
    where started_time >= :since_time and (started_time < :earliest or started_time > :latest)
        and coalesce(customer, contact_id) in (select crossed from crossing)
)""",
    stays_of("near"),
    """
ordered as (
    select
        person, contact_id, started_at, queue, channel, agent, team, site, customer, contact_reason,
        passed_at, handled_at, is_over,
        case when :per_channel = 1 then channel else '' end as alike,
        case when handled_by = 'people' then 0 else 1 end as with_bot,
        case when handled_at is not null and not handled_transferred then 1 else 0 end as concluded,
        lag(passed_at) over (
            partition by person, case when :per_channel = 1 then channel else '' end
            order by started_at, row_offset, row_partition, row_n
        ) as passed_before,
        max(handled_at) over (
            partition by person, case when :per_channel = 1 then channel else '' end
            order by started_at, row_offset, row_partition, row_n rows between unbounded preceding and 1 preceding
        ) as handled_before,
        lead(started_at) over (
            partition by person, case when :per_channel = 1 then channel else '' end
            order by started_at, row_offset, row_partition, row_n
        ) as next_started,
        row_number() over (
            partition by person, case when :per_channel = 1 then channel else '' end
            order by started_at, row_offset, row_partition, row_n
        ) as place
    from stays
)""",
)
_REPLIES: Final = """
written as (
    select
        contact_id as written_to, queue as written_in, channel as written_by, visit_started_at as written_since,
        sum(sign) as replies
    from replies
    group by contact_id, queue, channel, visit_started_at
)"""


def _journeys(replies: str, joined: str = "") -> tuple[str, ...]:
    """Return the steps from stays to the journeys that count in the window, most of which have one stay."""
    names = WHERE.split(", ")[:-1]
    last = ", ".join(f"nullif(max_by(coalesce({name}, ''), handled_place), '') as {name}" for name in names)
    return (
        f"""
linked as (
    select ordered.*, {replies} as replies,
        case when coalesce(started_at - passed_before between -600000 and 1800000, false) then 0 else 1 end as begins,
        case when coalesce(next_started - passed_at between -600000 and 1800000, false) then 0 else 1 end as ends,
        case when handled_at is not null then place end as handled_place
    from ordered {joined}
)""",
        """
several as (
    select *,
        sum(begins) over (
            partition by person, alike order by place rows between unbounded preceding and current row
        ) as journey
    from linked
    where begins = 0 or ends = 0
)""",
        f"""
journeys as (
    select
        {", ".join(names)},
        case when with_bot = 1 then 'both' else 'people' end as handled_by,
        case when customer is null then 0 else 1 end as of_customer,
        started_at as began, handled_before, next_started as next_began,
        case when is_over = 1 then handled_at end as counted_at,
        concluded as concludes,
        case when passed_at is null then 0 else 1 end as passed_on,
        replies
    from linked
    where begins = 1 and ends = 1
    union all
    select
        {last},
        case when max(with_bot) = 1 then 'both' else 'people' end as handled_by,
        max(case when begins = 1 and customer is not null then 1 else 0 end) as of_customer,
        min(started_at) as began,
        max(case when begins = 1 then handled_before end) as handled_before,
        max(case when ends = 1 then next_started end) as next_began,
        case when max_by(is_over, place) = 1 then max_by(handled_at, handled_place) end as counted_at,
        max_by(concluded, place) as concludes,
        sum(case when passed_at is null then 0 else 1 end) as passed_on,
        sum(replies) as replies
    from several
    group by person, alike, journey
)""",
        """
judged as (
    select *,
        case when coalesce(next_began <= counted_at + :repeat_ms, false) then 1 else 0 end as followed,
        case when coalesce(began <= handled_before + :repeat_ms, false) then 0 else 1 end as is_first,
        case when :known > counted_at + :repeat_ms then 1 else 0 end as settled
    from journeys
    where counted_at >= :start and counted_at < :end
)""",
    )


JOURNEY_STEPS: Final = (*_STAYS, *_journeys("0"))
"""The steps to ``judged``: the handled journeys of the window, and what they come to."""
JOURNEYS: Final = LedgerFamily(
    name="journeys",
    steps=(
        *JOURNEY_STEPS,
        f"""
samples as (
    select
        {WHERE},
        1 as handled,
        passed_on as transfers,
        case when passed_on >= 2 then 1 else 0 end as bounced,
        of_customer as of_customers,
        of_customer * followed as repeated,
        of_customer * is_first as first_contacts,
        of_customer * is_first * concludes * (1 - followed) as resolved,
        settled * of_customer as settled_of_customers,
        settled * of_customer * followed as settled_repeated,
        settled * of_customer * is_first as settled_first_contacts,
        settled * of_customer * is_first * concludes * (1 - followed) as settled_resolved
    from judged
)""",
    ),
    sums=(
        "handled",
        "transfers",
        "bounced",
        "of_customers",
        "repeated",
        "first_contacts",
        "resolved",
        "settled_of_customers",
        "settled_repeated",
        "settled_first_contacts",
        "settled_resolved",
    ),
)

TOUCHES: Final = LedgerFamily(
    name="touches",
    steps=(
        *_STAYS,
        _REPLIES,
        *_journeys(
            "coalesce(written.replies, 0)",
            "left join written on written_to = contact_id and written_in = queue and written_by = channel "
            "and written_since = started_at",
        ),
        f"""
samples as (
    select
        {WHERE},
        case when replies >= 1 then 1 else 0 end as replied,
        case when replies = 1 then concludes else 0 end as one_touch
    from judged
)""",
    ),
    sums=("replied", "one_touch"),
)


_FIRST_CROSSING: Final = f"select min(started_at) from (\n{_CROSSING}\n) as crossing"


def reach(question: LedgerQuestion, ask: Callable[[str], int | None]) -> LedgerQuestion:
    """Return the question with the moment before which nothing that began matters for journeys.

    Args:
        question: as it was asked.
        ask: runs SQL that has one number as its result, or NULL.
    """
    first = ask(fill(_FIRST_CROSSING, question))
    if first is None:
        return structs.replace(question, since=question.start - question.repeat_ms)
    while (
        earlier := ask(_of_crossing(question, first, ("transferred_time", "left_time"), first - GAP))
    ) is not None:
        first = earlier
    since = first - question.repeat_ms
    earlier = ask(_of_crossing(question, since, ("handled_time",), since))
    return structs.replace(question, since=since if earlier is None else earlier)


def _of_crossing(question: LedgerQuestion, before: int, ended: tuple[str, ...], at: int) -> str:
    """Return the query for the first stay of those people that began before a moment, and ended after another one."""
    ends = " or ".join(f"{name} >= {time_of(at)}" for name in ended)
    sql = (
        f"with crossing as (\n{_CROSSING}\n) select min(started_at) from visits "
        f"where started_at < {before} and started_time <= {time_of(before + SECOND)} and ({ends}) "
        "and coalesce(customer, contact_id) in (select crossed from crossing)"
    )
    return fill(sql, question)
