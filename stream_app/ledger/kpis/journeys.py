"""Journeys: whether a first contact was enough, whether customers come again, how often they are passed on.

A month among years must not cost as much as years. Stays that began near the window are looked at, and the histories of the
people who have a stay that crosses a bound of it: of nobody else does a journey, or a time that matters, lie on both sides.
How far these histories have to go back is what ``reach`` finds.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from .query import DAY, GAP, SECOND, LedgerFamily, LedgerQuestion, fill
from .sight import EVER
from .stays import WHERE, stays_of

Run = Callable[[str, int, int], Awaitable[int | None]]
_CROSSING_AT: Final = """
    select person as crossed, customer as crossed_customer, case when customer is null then contact_id end as crossed_contact,
        started_at
    from visits
    where started_time <= :{bound} and person is not null and (
        handled_time >= :{bound} or transferred_time >= :{bound}_and_gap or left_time >= :{bound}_and_gap
    )"""
_CROSSING: Final = "\n    union all".join(
    _CROSSING_AT.format(bound=bound) for bound in ("latest", "day_before", "earliest")
)
"""A query for each bound: an engine skips files by one, but not by one of several."""
_OF_CROSSING: Final = """
    select * from visits
    where {when} and customer in (select crossed_customer from crossing where crossed_customer is not null)
    union all
    select * from visits
    where {when} and customer is null and contact_id in (
        select crossed_contact from crossing where crossed_contact is not null
    )"""
"""Ids are compared as they are stored, and one kind at a time: an engine reads no more of the other rows."""
_BEFORE: Final = _OF_CROSSING.format(when="started_time < :earliest")
_AFTER: Final = _OF_CROSSING.format(when="started_time > :latest")
_HISTORIES: Final = stays_of("crossing_visits", name="histories")
_STAYS: Final = (
    f"""
crossing as (
{_CROSSING}
)""",
    f"""
crossing_visits as ({_BEFORE}
    union all{_AFTER}
)""",
    _HISTORIES,
    """
near as (
    select * from visits
    where started_time >= :earliest and started_time <= :latest and person % :slices = :slice
)""",
    stays_of("near", name="stays_near"),
    """
stays as (
    select * from stays_near
    union all
    select * from histories where person % :slices = :slice
)""",
    """
marked as (
    select *,
        case when :per_channel = 1 then channel else '' end as alike,
        case when handled_by = 'people' then 0 else 1 end as with_bot,
        case when customer is null then 0 else 1 end as is_known,
        case when handled_at is not null and not handled_transferred then 1 else 0 end as concluded
    from stays
)""",
    """
ordered as (
    select
        person, alike, contact_id, started_at, row_offset, row_partition, row_n,
        queue, channel, agent, team, site, customer, contact_reason,
        passed_at, handled_at, is_over, with_bot, is_known, concluded,
        lag(passed_at) over (
            partition by person, alike order by started_at, row_offset, row_partition, row_n
        ) as passed_before,
        max(handled_at) over (
            partition by person, alike order by started_at, row_offset, row_partition, row_n
            rows between unbounded preceding and 1 preceding
        ) as handled_before,
        lead(started_at) over (
            partition by person, alike order by started_at, row_offset, row_partition, row_n
        ) as next_started
    from marked
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
    names = [*WHERE.split(", ")[:-1], "contact_id"]
    last = ", ".join(f"nullif(max_by(coalesce({name}, ''), handled_place), '') as {name}" for name in names)
    return (
        f"""
linked as (
    select ordered.*, {replies} as replies,
        case when coalesce(started_at - passed_before between -600000 and 1800000, false) then 0 else 1 end as begins,
        case when coalesce(next_started - passed_at between -600000 and 1800000, false) then 0 else 1 end as ends
    from ordered {joined}
)""",
        """
placed as (
    select *,
        row_number() over (
            partition by person, alike order by started_at, row_offset, row_partition, row_n
        ) as place
    from linked
    where begins = 0 or ends = 0
)""",
        """
several as (
    select *,
        case when handled_at is not null then place end as handled_place,
        sum(begins) over (
            partition by person, alike order by place rows between unbounded preceding and current row
        ) as journey
    from placed
)""",
        f"""
journeys as (
    select
        {", ".join(names)},
        case when with_bot = 1 then 'both' else 'people' end as handled_by,
        is_known as of_customer,
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
        max(begins * is_known) as of_customer,
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
    sampled=True,
    steps=(
        *JOURNEY_STEPS,
        f"""
samples as (
    select
        {WHERE}, contact_id, counted_at as sampled_at,
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
    looks_back="by_reach",
)

TOUCHES: Final = LedgerFamily(
    name="touches",
    sampled=True,
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
        {WHERE}, contact_id, counted_at as sampled_at,
        case when replies >= 1 then 1 else 0 end as replied,
        case when replies = 1 then concludes else 0 end as one_touch
    from judged
)""",
    ),
    sums=("replied", "one_touch"),
    looks_back="by_reach",
)


class LookBack(NamedTuple):
    """How far back a question has to look.

    Attributes:
        since: visits that were over before do not matter, ms.
        made: the steps that are done with it (see ``LedgerFamily.sql``).
    """

    since: int
    made: dict[str, str]


async def reach(question: LedgerQuestion, run: Run) -> LookBack:
    """Return how far back journeys have to be looked at: as far as the people reach who have a stay across a bound.

    Args:
        question: as it was asked.
        run: runs SQL and returns the only number of its result, or ``None``; the others are moments: visits that were over
            before the first one need not be there, nor those that began after the second one.
    """
    bounds = _moments(question)
    earliest, latest = bounds["earliest"], bounds["latest"]
    of = f"{question.start}_{question.end}_{question.repeat_ms}"
    crossing, histories = f"crossing_{of}", f"histories_{of}"
    begin = f"create or replace temporary table {crossing}_stays as"
    for name, at in bounds.items():
        await run(fill(f"{begin} {_CROSSING_AT.format(bound=name)}", question), at - GAP - SECOND, at)
        begin = f"insert into {crossing}_stays"
    await run(
        f"create or replace temporary table {crossing} as select crossed, crossed_customer, crossed_contact, "
        f"least(min(started_at), {earliest}) as first_at from {crossing}_stays "
        "group by crossed, crossed_customer, crossed_contact",
        latest,
        latest,
    )
    seen = EVER
    while True:
        first = await run(f"select min(first_at) from {crossing}", latest, latest)
        since = ((earliest if first is None else first) - question.repeat_ms) // DAY * DAY
        begin = f"create or replace temporary table {histories} as"
        for visits, *ends in (
            ((_BEFORE, since, earliest), (_AFTER, latest - SECOND, EVER)) if since < seen else ()
        ):
            theirs = re.sub(r"\bfrom crossing\b", f"from {crossing}", visits)
            steps = f"crossing_visits as ({theirs}), {_HISTORIES}"
            await run(fill(f"{begin} with {steps} select * from histories", question), *ends)
            begin = f"insert into {histories}"
        seen = since
        if not await run(
            f"create or replace temporary table further as select person, min(started_at) as further_at "
            f"from {histories} join {crossing} on person = crossed "
            f"where started_at < first_at and passed_at >= first_at - {GAP} group by person",
            latest,
            latest,
        ):
            return LookBack(since, {"crossing": crossing, "histories": histories})
        await run(
            f"create or replace temporary table {crossing} as select {crossing}.* replace ("
            f"least(first_at, further_at) as first_at) from {crossing} left join further on person = crossed",
            latest,
            latest,
        )


def _moments(question: LedgerQuestion) -> dict[str, int]:
    """Return the bounds, ms; in SQL they are whole seconds."""
    return {
        "latest": question.end + question.repeat_ms + SECOND,
        "day_before": question.start - DAY,
        "earliest": question.start - question.repeat_ms - DAY - SECOND,
    }
