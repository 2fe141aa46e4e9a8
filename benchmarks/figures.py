"""A figure of a benchmark as ``results.json`` has it, and tables of figures for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import floor, log10
from typing import Any, Final, NamedTuple

BEGIN = "<!-- figures: begin, written by `make bench` -->"
END = "<!-- figures: end -->"

MEANING: Final = {
    "produce_to_visible_p50_seconds": "From `produce` to visible in the API at 2,000 events/s, median",
    "produce_to_visible_p99_seconds": "From `produce` to visible in the API at 2,000 events/s, 99th percentile",
    "raw_loop_events_per_second": "Raw loop: read, decode, keep the latest event of each contact",
    "plain_faust_agent_events_per_second": "Plain Faust agent, as tutorials show it: count each event in Redis",
    "pipelined_faust_agent_events_per_second": "The same agent with its writes pipelined",
    "full_job_events_per_second": "Worker, 60 queues and channels, compared with the raw loop",
    "full_job_against_plain_agent": "Worker, 60 queues and channels, compared with the plain Faust agent",
    "full_job_against_pipelined_agent": "Worker, 60 queues and channels, compared with the pipelined agent",
    "full_job_with_ledger_events_per_second": "Worker that notes contacts for the ledger, compared with the raw loop",
    "full_job_as_python_events_per_second": "Worker that is not compiled, compared with the raw loop",
    "full_job_600_events_per_second": "Worker, 600 queues and channels, compared with the raw loop",
    "cpu_seconds_per_million_events_60": "Worker's CPU per million events, 60 queues and channels",
    "cpu_seconds_per_million_events_600": "Worker's CPU per million events, 600 queues and channels",
    "cpu_seconds_per_million_events_60_with_ledger": "Worker's CPU per million events, noting contacts for the ledger",
    "cpu_seconds_per_million_events_60_as_python": "Worker's CPU per million events, 60 queues and channels, not compiled",
    "redis_cpu_seconds_per_million_events_60": "Redis's CPU per million events, 60 queues and channels",
    "redis_cpu_seconds_per_million_events_600": "Redis's CPU per million events, 600 queues and channels",
    "redis_cpu_seconds_per_million_events_60_with_ledger": "Redis's CPU then, with contacts noted for the ledger",
    "redis_cpu_seconds_per_million_events_60_as_python": "Redis's CPU with a worker that is not compiled",
    "resident_memory_60": "Worker's memory, 60 queues and channels",
    "resident_memory_600": "Worker's memory, 600 queues and channels",
    "resident_memory_60_with_ledger": "Worker's memory, noting contacts for the ledger",
    "resident_memory_60_as_python": "Worker's memory, 60 queues and channels, not compiled",
    "redis_bytes_per_open_visit": "Redis memory per open contact",
    "claim_seconds_with_100000_open_visits": "Claim of a partition with 100,000 open contacts",
    "redis_bytes_per_id": "Redis memory per event id that is remembered, 500,000 in three days",
    "worker_bytes_per_id": "Worker's memory per event id that is remembered",
    "claim_seconds_with_500000_ids": "Claim of a partition that remembers 500,000 event ids",
    "redis_bytes_per_cell_10s": "Redis memory per 10-second cell",
    "redis_bytes_per_cell_60s": "Redis memory per 60-second cell",
    "redis_bytes_per_cell_15min": "Redis memory per 15-minute cell",
    "metrics_seconds_600_queue_channels": "`/metrics` of 600 queues and channels",
    "metrics_seconds_after_a_day": "`/metrics` after a full day, compared with little history",
    "metrics_series_per_queue_channel": "Series per queue and channel",
    "people_telling_seconds": "CPU of `serve` for an `agent.state`, 5,000 agents in 600 queues, 12 queues each",
    "people_frame_seconds": "CPU of a frame of the stream after 100 of them, compared with none",
    "people_list_seconds": "CPU of `/v1/agents`, 5,000 agents",
    "people_change_seconds": "CPU of what `/v1/agents/stream` sends of 100 agents, once for all clients",
    "people_list_bytes_per_agent": "Bytes per agent in `/v1/agents`, 12 queues each",
    "healthz_p99_seconds_hostile_times": "`/healthz` among clients with impossible times, p99, compared with alone",
    "healthz_worst_seconds_hostile_times": "The slowest of 200 answers then, compared with what is promised",
    "healthz_p99_seconds_hostile_half": "`/healthz` among 1,000 requests sent by half, p99, compared with alone",
    "healthz_worst_seconds_hostile_half": "The slowest of 200 answers then, compared with what is promised",
    "healthz_p99_seconds_hostile_all": "`/healthz` among 3,000 clients of every bad kind, p99, compared with alone",
    "healthz_worst_seconds_hostile_all": "The slowest of 200 answers then, compared with what is promised",
    "staffing_seconds_200_queues_96_intervals": "Staffing plan of 200 queues, a day of 15-minute intervals",
    "staffing_erlang_c_search_seconds": "Erlang C searches, compared with trying every number of agents",
    "staffing_erlang_c_search_seconds_10000_erlang": "Erlang C search at 10,000 Erlang, compared with the same",
    "interval_row_bytes": "Redis memory per interval row, everything included",
    "interval_row_bytes_published": "Redis memory per interval row: the published row and its revision",
    "interval_row_bytes_of_a_partition": "Redis memory per interval row that a partition keeps",
    "interval_month_of_a_queue_seconds": "Reading one queue's month of interval rows",
    "interval_month_of_a_queue_bytes_per_row": "Memory per row while reading it",
    "interval_row_packed_bytes": "A packed interval row, compared with one without reasons and missed offers",
    "interval_month_unpacked_seconds": "Unpacking a month of them, compared with the same",
    "interval_counting_with_reasons_seconds": "Counting 10,000 contacts that left for a reason, compared with none",
    "ledger_first_contact_month_seconds": "First contact resolution of a month, by queue, among 10 million visits",
    "ledger_first_contact_month_cpu_seconds": "The CPU time of that, on all cores together",
    "ledger_refresh_seconds": "All KPIs of the ledger over 28, 7 and 1 days, among 10 million visits and 2 million cases",
    "ledger_refresh_cpu_seconds": "The CPU time of that",
    "ledger_refresh_failed_families": "Families of KPIs, of 13, that a query's time or memory was not enough for then",
    "ledger_rows_per_second": "The ledger's writer, one partition: visits from the outbox into a folder",
    "ledger_bytes_per_visit": "The ledger on the disk per visit with a random id, compared with one written minute by minute",
    "ledger_outbox_bytes_per_visit": "Redis memory per visit that waits for the ledger's writer",
    "ledger_writer_memory": "The writer's memory while it catches up on 200,000 visits, compared with 20,000",
    "ledger_writer_memory_idle": "The writer's memory while it has nothing to write",
    "why_half_an_hour_of_a_queue_seconds": "Why: a queue's service level of half an hour, 10 million visits in 64 partitions",
    "why_half_an_hour_of_a_queue_cpu_seconds": "The CPU time of that",
    "why_half_an_hour_of_a_queue_handle_time_seconds": "Why: its handle time",
    "why_half_an_hour_of_a_queue_handle_time_cpu_seconds": "The CPU time of that",
    "why_half_an_hour_of_all_queues_seconds": "Why: the service level of all queues in half an hour, 15,000 contacts",
    "why_half_an_hour_of_all_queues_cpu_seconds": "The CPU time of that",
    "why_day_of_a_queue_seconds": "Why: a queue's service level of 24 hours, 13,000 contacts",
    "why_day_of_a_queue_cpu_seconds": "The CPU time of that",
    "contacts_month_of_a_queue_seconds": "The first 100 contacts of a queue's 30 days among these, and how many there are",
    "contacts_month_of_a_queue_cpu_seconds": "The CPU time of that",
}
"""Name → what was measured, in the words of the tables. A figure that is not listed is shown by its name."""

HEADLINES: Final = (
    "produce_to_visible_p99_seconds",
    "full_job_events_per_second",
    "full_job_against_plain_agent",
    "resident_memory_600",
    "claim_seconds_with_100000_open_visits",
)
"""The figures that the README shows."""

_SMALLER: Final = {"s": ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (0.0, 1e6, "µs"))}
_LARGER: Final = {"bytes": ((1e6, 1e-6, "MB"), (1e4, 1e-3, "kB"), (0.0, 1.0, "bytes"))}
_SCALES: Final = _SMALLER | _LARGER


class Figure(NamedTuple):
    """One measured number, beside what it is compared with in the same run.

    Attributes:
        reference: the number it is set against, in the same unit; ``None`` where there is none.
        ratio: value against reference; the median of the rounds' ratios where there are several.
    """

    name: str
    value: float
    unit: str
    reference: float | None = None
    ratio: float | None = None


def rounded(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits and never an exponent: 417833 → ``418,000``."""
    if value == 0:
        return "0"
    places = digits - 1 - floor(log10(abs(value)))
    text = f"{round(value, places):,.{max(places, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float, unit: str) -> str:
    """Write a value in the unit that people would choose: 0.039 s → ``39 ms``."""
    for least, factor, shown in _SCALES.get(unit, ()):
        if value >= least:
            return f"{rounded(value * factor)} {shown}"
    return f"{rounded(value)} {unit}"


def table(results: Iterable[dict[str, Any]]) -> str:
    """Lay figures out as a Markdown table."""
    rows = ["| measured | value | limit, or compared with | ratio |", "|---|---|---|---|"]
    for result in results:
        name, unit = result["name"], result["unit"]
        reference = "" if result["reference"] is None else quantity(result["reference"], unit)
        ratio = "" if result["ratio"] is None else rounded(result["ratio"], 2)
        rows.append(
            f"| {MEANING.get(name, f'`{name}`')} | {quantity(result['value'], unit)} | {reference} | {ratio} |"
        )
    return "\n".join(rows)


def in_order(results: Collection[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort figures as ``MEANING`` lists them, so that related ones stand together."""
    places = {name: place for place, name in enumerate(MEANING)}
    return sorted(results, key=lambda result: places.get(result["name"], len(places)))


def written(page: str, results: Iterable[dict[str, Any]]) -> str:
    """Return a page with the block between its markers replaced."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table(results)}\n{END}{rest.partition(END)[2]}"


def headlines(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose the figures of the README, in its order."""
    found = {result["name"]: result for result in results}
    return [found[name] for name in HEADLINES if name in found]
