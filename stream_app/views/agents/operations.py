"""The descriptions of the routes."""

from typing import Final

from stream_app.views.intervals.api import CSV
from stream_app.views.operation import Operation, Parameter

from .api import PATH
from .query import DEFAULT_LIMIT, DOINGS, FORMATS, MOST_ROWS, ORDERS
from .routes import STREAM
from .wire import AgentsAnswer

_OFF: Final = "Agents are not shown here"
_ADMITTED: Final = "Off where serve can be reached from other machines until STREAM_APP_AGENTS=on."

OPERATIONS: Final = (
    Operation(
        path=PATH,
        name="agents",
        example="queue=sales&doing=away",
        summary="Who is there now, and what they do",
        text="What platforms tell of agents, with the contacts that are counted. First those who are over their limit, the "
        "longest first, then those who have done what they do the longest. How many agents of a queue do what, without "
        f"anybody's id, is `agents` in /v1/now. {_ADMITTED} Full description: docs/people.md.",
        answer=AgentsAnswer,
        parameters=(
            Parameter("queue", "Only agents who serve one of these, or have a contact of it", seen=True),
            Parameter("team", "Only of these teams"),
            Parameter("site", "Only at these sites, as the platform tells them"),
            Parameter(
                "doing",
                "Only those who do this, with `queue` those who do it there; all but `offline` by default",
                DOINGS,
            ),
            Parameter(
                "order",
                "over_limit by default; longest: the agent who has done it the longest first",
                ORDERS,
                once=True,
            ),
            Parameter("format", "json by default", FORMATS, once=True),
            Parameter(
                "limit",
                f"Agents per page, 1 to {MOST_ROWS}; {DEFAULT_LIMIT} by default",
                once=True,
                schema={"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
            ),
            Parameter("cursor", "Where the page begins; part of `next`", once=True, longest=4_096),
        ),
        fails={
            400: "A parameter is unknown, has an invalid value, or names a queue that was never seen",
            403: _OFF,
            422: "A cursor of another query",
            503: "serve has not read anything from the store since it started: try again",
        },
        media=(CSV,),
        unchanged="Nothing has changed since the answer with this `ETag`, apart from the time",
    ),
    Operation(
        path=STREAM,
        name="agents_stream",
        summary="Agents as they change",
        text="Server-sent events. `snapshot` has all agents, `change` those that changed, and in `gone` those who are "
        f"not listed any more, as in /v1/agents; `beat` is that of /v1/stream. {_ADMITTED}",
        answer="text/event-stream",
        fails={
            400: "A parameter is unknown",
            403: _OFF,
            503: "Too many streams are open: try again",
        },
    ),
)
