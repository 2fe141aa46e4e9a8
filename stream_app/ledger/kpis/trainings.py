"""Training: which assignments were completed in time, and which are overdue."""

from __future__ import annotations

from typing import Final

from .query import LedgerFamily

TRAININGS: Final = LedgerFamily(
    name="trainings",
    steps=(
        """
assigned as (
    select *
    from (
        select agent, team, site, course, due_at, "at" as since,
            row_number() over (partition by agent, course, due_at order by "at", "partition", "offset", n) as nth
        from trainings
        where event = 'assigned' and due_at < :end
    ) as told
    where nth = 1
)""",
        """
completed as (
    select agent as done_by, course as done_course, "at" as done_at
    from trainings
    where event = 'completed' and "at" < :end
)""",
        """
judged as (
    select agent, team, site, course, due_at,
        max(case when coalesce(done_at >= since, false) then 1 else 0 end) as done,
        max(case when coalesce(done_at >= since and done_at <= due_at, false) then 1 else 0 end) as done_in_time
    from assigned
    left join completed on done_by = agent and done_course = course
    group by agent, team, site, course, due_at
)""",
        """
samples as (
    select agent, team, site, course, due_at,
        case when due_at >= :start then 1 else 0 end as due,
        case when due_at >= :start then done_in_time else 0 end as in_time,
        1 - done as overdue
    from judged
)""",
    ),
    sums=("due", "in_time", "overdue"),
    groups=("agent", "team", "site", "course"),
    about=("agent", "course"),
    since="due_at",
)
"""What is overdue is so at the window's end, whenever it was due."""
