"""What customers say, in classes."""

from __future__ import annotations

from typing import Final

from .query import LedgerFamily
from .stays import last_visits

OPINIONS: Final = LedgerFamily(
    name="opinions",
    sampled=True,
    steps=(
        """
asked as (
    select *
    from opinions
    where "time" >= :start_time and "time" < :end_time and "at" >= :start and "at" < :end
        and (
            csat_answered_at is not null or nps_answered_at is not null or fcr_answered_at is not null
            or surveyed_kind = 'fcr' or survey_returned_kind = 'fcr'
        )
)""",
        last_visits("asked"),
        """
flagged as (
    select
        asked.queue as queue, asked.channel as channel, asked.agent as agent, asked.team as team, asked.site as site,
        asked.customer as customer, contacts.contact_reason as contact_reason, contacts.handled_by as handled_by,
        asked.contact_id as contact_id, asked."at" as sampled_at,
        case when csat_answered_at is null then 0 else sign end as csat_answers,
        case when csat_answered_satisfied then sign else 0 end as csat_satisfied,
        case when csat_answered_dissatisfied then sign else 0 end as csat_dissatisfied,
        case when nps_answered_at is null then 0 else sign end as nps_answers,
        case when nps_answered_promoter then sign else 0 end as nps_promoters,
        case when nps_answered_detractor then sign else 0 end as nps_detractors,
        case when surveyed_kind = 'fcr' then sign else 0 end as fcr_sent,
        case when survey_returned_kind = 'fcr' then sign else 0 end as fcr_returned,
        case when fcr_answered_at is null then 0 else sign end as fcr_answers,
        case when fcr_answered_resolved then sign else 0 end as fcr_resolved,
        case when :known > asked.at + 172800000 then 1 else 0 end as settled
    from asked
    left join contacts on contacts.contact_id = asked.contact_id
)""",
        """
samples as (
    select *,
        csat_answers - csat_satisfied - csat_dissatisfied as csat_neutral,
        nps_answers - nps_promoters - nps_detractors as nps_passives,
        settled * fcr_sent as settled_fcr_sent,
        settled * fcr_returned as settled_fcr_returned,
        settled * fcr_answers as settled_fcr_answers,
        settled * fcr_resolved as settled_fcr_resolved
    from flagged
)""",
    ),
    sums=(
        "csat_answers",
        "csat_satisfied",
        "csat_neutral",
        "csat_dissatisfied",
        "nps_answers",
        "nps_promoters",
        "nps_passives",
        "nps_detractors",
        "fcr_sent",
        "fcr_returned",
        "settled_fcr_sent",
        "settled_fcr_returned",
        "fcr_answers",
        "fcr_resolved",
        "settled_fcr_answers",
        "settled_fcr_resolved",
    ),
    signed=True,
)
