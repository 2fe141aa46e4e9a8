"""*Queue in depth*: why one queue performs as it does."""

from collections.abc import Iterator
from typing import Final

from stream_app.model.kpis import BY_NAME, HEADLINES, KPIS
from stream_app.model.kpis.measures import WindowCount
from stream_app.views import links, naming

from . import shell
from .common import NOT_KNOWN, age, trust, volume
from .kpis import over_time, percentiles, tile
from .layout import filled
from .look import BLUE, Panel, override, steps
from .panels import bars, heatmap, query, row, timeseries
from .queries import CHOSEN, QUEUES, fresh

_CONVERSATIONS: Final = (
    *("awaiting_reply", "oldest_awaiting_reply", "first_response_business"),
    *("open_conversations", "pending", "average_response"),
    *("with_bot", "oldest_unanswered_by_bot", "closed_unanswered"),
)
"""Who is owed a reply and for how long, and what is open; the first response by the clock on the wall is above."""


def dashboard() -> str:
    """Draw waits and their distribution, the outcomes of contacts, and every operational KPI."""
    return shell.dashboard(
        links.QUEUE,
        "One queue: how long contacts wait, when they abandon, how they end, and how they are handled.",
        list(_panels()),
        one_queue=True,
    )


def _panels() -> Iterator[Panel]:
    first = [BY_NAME["backlog"], BY_NAME["oldest_waiting"]]
    yield row("Now: who is waiting, for how long, and is it true?")
    yield from (tile(kpi, 6, linked=False) for kpi in first)
    yield age(8)
    yield trust(4)
    yield from filled([tile(kpi, 6, linked=False) for kpi in HEADLINES if kpi not in first], 4)
    yield row("Waiting")
    yield _waits()
    yield _gave_up()
    yield from filled([percentiles(kpi, linked=False) for kpi in KPIS if kpi.spread])
    yield row("Conversations, in channels in which people write")
    yield from filled([tile(BY_NAME[name], 6, linked=False) for name in _CONVERSATIONS], 3)
    yield row("People: who is there, and when is the next one free?")
    yield from _people()
    yield row("Outcomes")
    yield _funnel()
    yield volume()
    operational = [kpi for kpi in KPIS if kpi.tier == "operational"]
    yield row("Every operational KPI, with its target")
    yield from filled(
        [over_time(kpi, linked=False) for kpi in operational if not isinstance(kpi.measure, WindowCount)]
    )
    volumes = [over_time(kpi, linked=False) for kpi in operational if isinstance(kpi.measure, WindowCount)]
    yield row("Volumes today", collapsed=filled(volumes, 4))


def _waited(outcome: str, function: str = "") -> str:
    """Write today's contacts of the queue with an outcome, by the longest wait: a cumulative histogram."""
    series = f'{naming.WAITED}_bucket{{{CHOSEN},{naming.OUTCOME}="{outcome}"}}'
    by = f"{QUEUES}, {naming.LE}"
    if not function:
        return f"sum by ({naming.LE}) (max by ({by}) ({fresh(series)}))"
    # Not rate(): midnight and undone abandonments make the day's counts fall, which is not a restart.
    changed = fresh(f"{function}({series}[5m])")
    return f"sum by ({naming.LE}) (clamp_min(max by ({by}) ({changed}), 0))"


def _waits() -> Panel:
    return heatmap(
        "waits",
        "How long answered contacts waited",
        [query("A", _waited("answered", "delta"), "{{le}}", form="heatmap")],
        size=(12, 9),
        unit="s",
        description="Each column is five minutes, each row a range of waits from half the answer target to four times; "
        "the darker, the more contacts.",
        none=f"{NOT_KNOWN}.",
        interval="5m",
    )


def _gave_up() -> Panel:
    """Draw when patience ends. In the form of a heat map Grafana sorts the waits as numbers, and counts each contact once."""
    return bars(
        "abandonment by wait",
        "Abandoned today, by wait in seconds",
        [query("A", _waited("abandoned"), "{{le}}", now=True, form="heatmap")],
        none=f"{NOT_KNOWN}.",
        size=(12, 9),
        unit="locale",
        decimals=0,
        steps=steps(BLUE),
        description="Contacts that abandoned today, by how long they had waited at most: half the answer target, "
        "the target, twice, four times that, or longer. Where most are is where patience ends.",
        overrides=[override("byName", "+Inf", displayName="longer")],
    )


def _people() -> Iterator[Panel]:
    told = "of agents whose platform tells which queues they serve"
    served = f"{naming.QUEUE}, {naming.DOING}"
    here = f'{naming.QUEUE}=~"$queue"'

    def doing(metric: str) -> str:
        return f"max by ({served}) ({fresh(f'{metric}{{{here}}}')})"

    def slots(metric: str) -> str:
        return f"max by ({QUEUES}) ({fresh(f'{metric}{{{CHOSEN}}}')})"

    yield timeseries(
        "people: doing",
        "Agents, by what they do",
        [query("A", doing(naming.AGENTS), "{{doing}}")],
        size=(8, 8),
        description=f"In all channels of the queue together, {told}. An agent who serves several queues is counted in each.",
        none=f"{NOT_KNOWN}: nobody tells who serves the queue.",
        unit="locale",
        room=5,
    )
    yield timeseries(
        "people: longest",
        "The longest of them",
        [query("A", doing(naming.AGENTS_LONGEST), "{{doing}}")],
        size=(8, 8),
        description=f"For how long the one has done it who has done it the longest, {told}.",
        none=f"{NOT_KNOWN}: nobody tells who serves the queue.",
        unit="s",
        room=60,
    )
    yield timeseries(
        "people: slots",
        "Slots of available agents",
        [
            query("S", slots(naming.AGENT_SLOTS), "{{channel}}, slots"),
            query("U", slots(naming.AGENT_SLOTS_USED), "{{channel}}, used"),
        ],
        size=(8, 8),
        description="Contacts that the queue's available agents may have at once, and those that they have, of whichever "
        "queue: what is left is free.",
        none=f"{NOT_KNOWN}: nobody tells how many contacts agents may have at once.",
        unit="locale",
        room=5,
    )


def _funnel() -> Panel:
    today = f'{CHOSEN},{naming.WINDOW}="today"'
    steps_of = ("offered", "answered", "handled", "left", "callbacks", "refused", "transferred")
    return bars(
        "funnel",
        "From offered to handled, today",
        [
            query(
                name.upper(),
                f"sum(max by ({QUEUES}) ({fresh(f'{naming.value(BY_NAME[name])}{{{today}}}')}))",
                BY_NAME[name].title,
                now=True,
            )
            for name in steps_of
        ],
        none=f"{NOT_KNOWN}.",
        size=(12, 8),
        unit="locale",
        decimals=0,
        description="Today's contacts. Those offered that were neither answered nor counted as flow-out have abandoned or are "
        "still waiting; those answered but not handled are still being worked on.",
    )
