"""The alerts on who is there: only of queues whose agents' states are told, and as silent as those on KPIs.

What nobody tells has no series, and no alert. While the numbers are stale, or a queue is closed, nothing begins.
"""

from collections.abc import Iterator
from typing import Any, Final

from stream_app.model.kpis import BY_NAME
from stream_app.views import links, naming

from . import actions, expressions
from .expressions import STALE_AFTER_S
from .rule import AlertRule
from .templates import Quoted

_FRESH: Final = f"and on (job, instance) {naming.DATA_AGE} <= {STALE_AFTER_S}"
_BY_DOING: Final = f"max by ({naming.QUEUE}, {naming.DOING})"
THERE: Final = f'sum by ({naming.QUEUE}) ({_BY_DOING} ({naming.AGENTS}{{{naming.DOING}!="away"}} {_FRESH}))'
"""Agents of a queue who are available, on contact or in wrap-up."""
_OPEN: Final = f"and on ({naming.QUEUE}) max by ({naming.QUEUE}) ({naming.OPEN}) == 1"
_KNOWN: Final = f"and on () {expressions.FRESH}"
_BACKLOG: Final = naming.value(BY_NAME["backlog"])
_OLDEST: Final = naming.value(BY_NAME["oldest_waiting"])


def rules() -> Iterator[AlertRule]:
    """Yield a page where people wait for nobody, and tickets on what goes on for too long."""
    queue, channel = naming.QUEUE, naming.CHANNEL
    waiting = f"max by ({queue}, {channel}) ({_BACKLOG} {_FRESH})"
    is_open = f"and on ({queue}, {channel}) max by ({queue}, {channel}) ({naming.OPEN}) == 1"
    yield _rule(
        "NobodyThere",
        "nobody_there",
        "there",
        f"{waiting}\nand on ({queue}) {THERE} == 0\n{is_open}\n{_KNOWN}",
        by=(queue, channel),
        hold="2m",
        severity="page",
        summary="{{ .Labels.queue }} ({{ .Labels.channel }}): %now% waiting and nobody there, longest wait %longest%",
        description="None of the queue's agents is available, on contact or in wrap-up.",
        figures=(Quoted("now", _BACKLOG, "count"), Quoted("longest", _OLDEST, "duration")),
        yields_to=expressions.past_target(BY_NAME["oldest_waiting"]),
    )
    yield _rule(
        "AgentsTooLong",
        "agents_too_long",
        "over_limit",
        f"max by ({queue}) ({naming.AGENTS_OVER_LIMIT} {_FRESH})\n{_OPEN}\n{_KNOWN}",
        hold="5m",
        summary="{{ .Labels.queue }}: agents who do something for longer than its limit: %now%",
        description="Who they are is on the page People. An agent who serves several queues is counted in each.",
        figures=(Quoted("now", naming.AGENTS_OVER_LIMIT, "count"),),
    )
    required = f"sum by ({queue}) (max by ({queue}, {channel}) ({naming.REQUIRED_AT_WORK}))"
    yield _rule(
        "QueueUnderstaffed",
        "queue_understaffed",
        "there",
        f"{required}\n- on ({queue}) {THERE}\n{_OPEN}\n{_KNOWN}",
        hold="15m",
        summary="{{ .Labels.queue }}: VALUE fewer agents there than the plan requires at work",
        description="Those who are available, on contact or in wrap-up count, also while they serve another queue.",
    )


def _rule(name: str, subject: str, panel: str, value: str, **about: Any) -> AlertRule:
    return AlertRule(
        group="kpis",
        name=name,
        subject=subject,
        value=value,
        # People are whole: none is the level at which it is over, also where one is too many.
        above=0,
        clear=0,
        keep="5m",
        shown="humanize",
        dashboard=links.PEOPLE,
        panel=links.panel_id(links.people(panel)[0]),
        do=actions.PEOPLE[subject],
        known=expressions.FRESH,
        **{"by": (naming.QUEUE,), "severity": "ticket", **about},
    )
