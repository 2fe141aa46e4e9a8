"""The interface's own description: OpenAPI 3.1 from the very types that are sent."""

from typing import Any, Final, get_args
from urllib.parse import parse_qsl

import msgspec

from stream_app import __version__
from stream_app.model.kpis import BY_NAME, SERVICE_LEVELS
from stream_app.model.live.rows import By
from stream_app.model.live.trend import TRENDS
from stream_app.model.windows import WINDOWS

from . import problems, taking, wire, wire_lists
from .agents.operations import OPERATIONS as AGENTS
from .contacts.operations import OPERATION as CONTACTS
from .history.operations import OPERATION as HISTORY
from .intervals import api as intervals_api, query, spans, wire as rows
from .intervals.api import PATH as INTERVALS
from .ledger.operations import OPERATION as LEDGER
from .operation import Operation, Parameter
from .plan import operations as plans
from .what_if.operations import OPERATION as WHAT_IF
from .why.operations import OPERATION as WHY

_BAD: Final = {
    400: "A parameter is unknown, has an invalid value, or names a queue, channel, site or unit that was never seen: "
    "`detail` suggests the one that was perhaps meant"
}

_READ: Final = _BAD | {503: "serve has not read anything from the store since it started: try again"}

_TIME: Final = "a time with an offset, or a date or local time of `tz`"
_MOMENT: Final = {"type": "string", "pattern": query.TIME}
_PLACES: Final = (
    Parameter("queue", "Only these queues", seen=True),
    Parameter("channel", "Only these channels", seen=True),
    Parameter("site", "Only queues handled at these sites", seen=True),
    Parameter("unit", "Only queues of these business units", seen=True),
)

OPERATIONS: Final = (
    Operation(
        path="/v1/now",
        name="now",
        example="queue=sales&window=30m",
        summary="Live values",
        text="By queue and channel: every KPI in every rolling window, with its samples and percentiles.",
        answer=wire.Now,
        parameters=(
            *_PLACES,
            Parameter("window", "Only these windows", tuple(WINDOWS)),
            Parameter("kpi", "Only these KPIs", tuple(BY_NAME)),
            Parameter("group", "Also roll the rows up by one of these", get_args(By), once=True),
        ),
        fails=_READ,
    ),
    Operation(
        path="/v1/stream",
        name="stream",
        example="queue=sales",
        summary="Live values as they change",
        parameters=_PLACES,
        text="Server-sent events. `snapshot` and `change` carry the same as /v1/now for the KPIs that are `carried` "
        "in /v1/kpis; a "
        "change has only the rows that changed, and `everyone` if it changed; `beat` is sent every second and reports how "
        "fresh the data is. Waiting times move by whole seconds. Until serve has read the store for the first time there are "
        "only `beat`s, which give the reason.",
        answer="text/event-stream",
        fails=_BAD | {503: "Too many streams are open: try again"},
    ),
    Operation(
        path="/v1/waiting",
        name="waiting",
        example="queue=sales",
        summary="Contacts that wait, with their places in line",
        text="Line by line, who came first first. How long each has yet to wait follows from who is ahead, which agents are "
        "there and how long work takes: the mean of such waits, and bounds that hold four of five of them. null where no "
        "platform tells agents' states, in channels where nobody holds the line, and where nobody is there. A contact is "
        "identified by its id only.",
        answer=wire_lists.WaitingList,
        parameters=_PLACES,
        fails=_READ,
    ),
    Operation(
        path="/v1/at-risk",
        name="at_risk",
        summary="Open contacts at risk, worst first",
        text="Contacts whose predicted satisfaction is below their queue's limit. A contact is identified by its id only.",
        answer=wire_lists.AtRiskList,
        parameters=_PLACES,
        fails=_READ,
    ),
    Operation(
        path="/v1/abandoned",
        name="abandoned",
        example="short=no",
        summary="Abandoned contacts to call back, newest first",
        text="Contacts that abandoned within the last hour and did not return to the same visit, 200 at most; `total` is "
        "the number of all of them. Whether a customer has come back under another contact id is unknown. A contact is "
        "identified by its id only.",
        answer=wire_lists.AbandonedList,
        parameters=(
            *_PLACES,
            Parameter("short", "Include those within the short-abandon threshold", wire_lists.SHORT),
        ),
        fails=_READ,
    ),
    Operation(
        path=taking.PATH,
        name="take",
        method="post",
        example='{"contact_id": "c7", "abandoned_at": "2026-01-05T09:00:00.000+00:00", "by": "Ann"}',
        body=taking.Taking,
        summary="Call an abandoned contact back, or leave it to others",
        text="So that two people don't ring one customer: others see the name in /v1/abandoned until the contact leaves the "
        "list. From a browser only by pages of this server. STREAM_APP_TAKE_CALLBACKS turns it off.",
        answer=wire_lists.TakenAnswer,
        fails={
            400: "The body is not as described",
            403: "Contacts are not taken here, or the request comes from the page of another site",
            404: "The contact is not in the list",
            409: "Somebody else has taken it",
            413: "The body is too long",
            415: "The body is not JSON",
            503: "Redis did not store it: try again",
        },
    ),
    Operation(
        path="/v1/trend",
        name="trend",
        example="kpi=service_level",
        summary="The last six hours by 15-minute interval",
        text="By queue and channel: the headline KPIs that have a history, for 24 full 15-minute intervals and the current "
        "one, by the same formulas as the live values. `backlog` is how many contacts were waiting at the end of a step, as "
        "far as is known now: an abandonment that was undone counts as waiting until then. A row may be ten seconds old.",
        answer=wire_lists.Trend,
        parameters=(*_PLACES, Parameter("kpi", "Only these KPIs", tuple(kpi.name for kpi in TRENDS))),
        fails=_READ,
    ),
    Operation(
        path=INTERVALS,
        name="intervals",
        example="from=2026-01-05&to=2026-01-06&tz=Europe/Berlin&format=csv",
        summary="Interval rows, for planners",
        text="By queue and channel, in intervals of 15 or 30 minutes, hours or days of a time zone, for at most "
        f"{', '.join(f'{days} days by {name}' for name, days in query.MOST_DAYS.items())}. A page links to the next one: "
        "`next`, and `Link` in every format. `X-Revision` is the value for `since` in the next request. `ETag` changes when a "
        "row or a target changes. A missing row is not a zero row. Full description: docs/intervals.md.",
        answer=rows.IntervalsAnswer,
        parameters=(
            Parameter(
                "from",
                f"Rows begin at or after this: {_TIME}. Default: 24 hours before `to`",
                once=True,
                schema=_MOMENT,
                longest=query.LONGEST_TIME,
            ),
            Parameter(
                "to",
                "Rows begin before this, which is itself not included; in the same form. Default: now, to the minute",
                once=True,
                schema=_MOMENT,
                longest=query.LONGEST_TIME,
            ),
            Parameter("interval", "Length of an interval; 15m by default", tuple(spans.INTERVALS), once=True),
            Parameter(
                "tz",
                "IANA time zone in whose local time intervals begin; UTC by default",
                tuple(sorted(query.zones())),
                once=True,
            ),
            *_PLACES,
            Parameter(
                "policy", "Service-level policy instead of each queue's own", tuple(SERVICE_LEVELS), once=True
            ),
            Parameter(
                "format",
                "connect and genesys are the import files of these products; json by default",
                query.FORMATS,
                once=True,
            ),
            Parameter(
                "since",
                "Final rows with a larger revision, in order of revision; only with 15m, and without from and to",
                once=True,
                schema={"type": "integer", "minimum": 0, "maximum": query.LAST_REVISION},
            ),
            Parameter(
                "limit",
                f"Rows per page, 1 to {query.MOST_ROWS}; {query.DEFAULT_LIMIT} by default",
                once=True,
                schema={"type": "integer", "minimum": 1, "maximum": query.MOST_ROWS},
            ),
            Parameter("cursor", "Where the page begins; part of `next`", once=True, longest=4_096),
            Parameter(
                "outages",
                "Whether to include rows that overlap an outage; include by default",
                query.OUTAGES,
                once=True,
            ),
        ),
        fails=_BAD
        | {
            422: "Parameters do not fit together: a range that is empty or too long, a local time that its clock skips "
            "or shows twice or that has no `tz`, a cursor of another query, a revision that was never issued",
        }
        | {
            501: "Parquet is not installed",
            503: "No rows are kept here, the store is unavailable, or serve has not read it yet",
        },
        media=(intervals_api.CSV, intervals_api.PARQUET),
        unchanged="Nothing has changed since the answer with this `ETag`",
    ),
    CONTACTS,
    WHY,
    WHAT_IF,
    LEDGER,
    HISTORY,
    *AGENTS,
    Operation(
        path="/v1/kpis",
        name="kpis",
        summary="The dictionary: what every KPI means",
        text="`X-Contacts` is `shown` where /v1/why explains numbers, else `hidden`; `X-Ledger` is `served` where /v1/ledger "
        "has KPIs, else `none`.",
        answer=list[wire_lists.KpiEntry],
        fails=_BAD,
    ),
    *plans.OPERATIONS,
    Operation(path="/metrics", name="metrics", summary="Live values for Prometheus", answer="text/plain"),
    Operation(path="/healthz", name="healthz", summary="The process is alive", answer=wire.Health),
    Operation(
        path="/readyz",
        name="readyz",
        summary="The numbers can be trusted",
        text="Ages are measured by Redis's clock alone; a warning names each clock that is more than a second off.",
        answer=wire.Ready,
        fails={
            503: "They can't: the store is unavailable, no worker has claimed a partition, or the data is too old"
        },
    ),
    Operation(path="/openapi.json", name="openapi", summary="This description", answer="application/json"),
    Operation(path="/docs", name="docs", summary="This description, for people", answer="text/html"),
    Operation(path="/", name="page", summary="The wallboard", answer="text/html"),
    Operation(
        path="/people", name="people", summary="The people page: what each agent does", answer="text/html"
    ),
    Operation(path="/plan", name="plan", summary="The planning page", answer="text/html"),
)


def document() -> dict[str, Any]:
    """Make the description as data."""
    types = [op.answer for op in OPERATIONS if not isinstance(op.answer, str)]
    types += [problem for op in OPERATIONS for several in op.problems.values() for problem in several]
    types += [op.body for op in OPERATIONS if op.body]
    types += [wire.Problem, wire.Freshness]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    of_type = dict(zip(map(repr, types), schemas, strict=True))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "stream-app",
            "summary": "Live contact-centre KPIs",
            "description": "Ratios are 0…1, durations are in seconds, times have an offset. null means no data.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "version": __version__,
        },
        "paths": {op.path: {op.method: _operation(op, of_type)} for op in OPERATIONS},
        "components": {"schemas": components},
    }


def _operation(op: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    json = not isinstance(op.answer, str)
    media = "application/json" if json else op.answer
    schema = schemas[repr(op.answer)] if json else {"type": "string"}
    contents = {media: {"schema": schema}} | {other: {"schema": {"type": "string"}} for other in op.media}
    responses: dict[str, Any] = {"200": {"description": op.summary, "content": contents}}
    if op.unchanged:
        responses["304"] = {"description": op.unchanged}
    for status, text in op.fails.items():
        kinds = [schemas[repr(kind)] for kind in op.problems.get(status, (wire.Problem,))]
        content = {problems.CONTENT_TYPE: {"schema": kinds[0] if len(kinds) == 1 else {"anyOf": kinds}}}
        responses[str(status)] = {"description": text, "content": content}
    out: dict[str, Any] = {"operationId": op.name, "summary": op.summary, "responses": responses}
    if op.text:
        out["description"] = op.text
    given = {} if op.body else dict(parse_qsl(op.example))
    if op.body:
        content = {"application/json": {"schema": schemas[repr(op.body)]}}
        out["requestBody"] = {"required": True, "content": content}
    if op.parameters:
        out["parameters"] = [_parameter(parameter, given.get(parameter.name)) for parameter in op.parameters]
    out["x-codeSamples"] = [{"lang": "Shell", "source": _curl(op)}]
    return out


def _curl(op: Operation) -> str:
    """Return a command that asks: as it stands, it works beside a `serve` with its defaults, but for the queue's name."""
    if op.body:
        return f"curl --json '{op.example}' 'http://127.0.0.1:8080{op.path}'"
    query = f"?{op.example}" if op.example else ""
    live = "-N " if op.answer == "text/event-stream" else ""
    return f"curl {live}'http://127.0.0.1:8080{op.path}{query}'"


def _parameter(parameter: Parameter, example: str | None) -> dict[str, Any]:
    value: dict[str, Any] = dict(parameter.schema or {"type": "string"})
    if parameter.values:
        value["enum"] = list(parameter.values)
    elif value["type"] == "string":
        value["maxLength"] = parameter.longest
    out = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.text,
    }
    if example is not None:
        out["example"] = example if parameter.once else [example]
    if parameter.once:
        return out | {"schema": value}
    return out | {"explode": True, "schema": {"type": "array", "items": value, "maxItems": parameter.most}}
