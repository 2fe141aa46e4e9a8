"""The interface described by itself: OpenAPI 3.1 from the very types that are sent, and a page to read it."""

from collections.abc import Iterator
from html import escape
from typing import Any, Final, get_args

import msgspec

from stream_app import __version__
from stream_app.model.kpis import BY_NAME, SERVICE_LEVELS
from stream_app.model.rows import By
from stream_app.model.trend import TRENDS
from stream_app.model.windows import WINDOWS

from . import problems, wire, wire_lists
from .intervals import api as intervals_api, query, spans, wire as rows
from .intervals.api import PATH as INTERVALS
from .operation import Operation, Parameter
from .plan import operations as plans

_BAD: Final = {400: "A parameter is unknown, or has a value that it can't have"}

_TIME: Final = "a time with an offset, or a date or local time of `tz`"
_PLACES: Final = (
    Parameter("queue", "Only these queues; an unknown one has no rows"),
    Parameter("channel", "Only these channels"),
    Parameter("site", "Only queues that are worked there"),
    Parameter("unit", "Only queues of these business units"),
)

OPERATIONS: Final = (
    Operation(
        path="/v1/now",
        name="now",
        summary="Live values",
        text="Per queue and channel: every KPI in every rolling window, with its samples and percentiles.",
        answer=wire.Now,
        parameters=(
            *_PLACES,
            Parameter("window", "Only these windows", tuple(WINDOWS)),
            Parameter("kpi", "Only these KPIs", tuple(BY_NAME)),
            Parameter("group", "Roll the rows up by one of these as well", get_args(By)),
        ),
        fails=_BAD,
    ),
    Operation(
        path="/v1/stream",
        name="stream",
        summary="Live values as they change",
        text="Server-sent events. `snapshot` and `change` carry what /v1/now does, of the headline KPIs; a "
        "change only the rows that are new, and `everyone` if it is; `beat` comes every second and says how fresh it all is. "
        "Waiting times move by whole seconds.",
        answer="text/event-stream",
        fails=_BAD | {503: "Too many streams are open"},
    ),
    Operation(
        path="/v1/at-risk",
        name="at_risk",
        summary="Open contacts at risk, the worst first",
        text="Those whose predicted satisfaction is below their queue's limit. A contact is named by its id only.",
        answer=wire_lists.AtRisk,
        parameters=_PLACES,
        fails=_BAD,
    ),
    Operation(
        path="/v1/abandoned",
        name="abandoned",
        summary="Callers to ring back, the newest first",
        text="Contacts that gave up within the last hour and did not come back to the same visit, 200 at most; `total` says "
        "how many there are. What a customer does afterwards under another contact id can't be known. A contact is named by "
        "its id only.",
        answer=wire_lists.Abandoned,
        parameters=(
            *_PLACES,
            Parameter("short", "Those within the short-abandon threshold too", wire_lists.SHORT),
        ),
        fails=_BAD,
    ),
    Operation(
        path="/v1/trend",
        name="trend",
        summary="The last six hours, quarter by quarter",
        text="Per queue and channel: the headline KPIs that have a past, of 24 whole quarters of an hour and the running "
        "one, by the same formulas as the live values. `backlog` is how many waited at the end of a step, as far as is "
        "known now: an abandonment that was taken back waited until then. A row may be ten seconds old.",
        answer=wire_lists.Trend,
        parameters=(*_PLACES, Parameter("kpi", "Only these KPIs", tuple(kpi.name for kpi in TRENDS))),
        fails=_BAD,
    ),
    Operation(
        path=INTERVALS,
        name="intervals",
        summary="Interval rows, for those who plan",
        text="Of each queue and channel by 15 or 30 minutes, hours or days of a time zone, at most "
        f"{', '.join(f'{days} days by {name}' for name, days in query.MOST_DAYS.items())}. A page has a link to the next one: "
        "`next`, and `Link` in every format. `X-Revision` is what to ask for `since` next. `ETag` is another one when a row "
        "or a setting has changed. A row that is missing is no row of zeros. docs/intervals.md has the whole of it.",
        answer=rows.IntervalsAnswer,
        parameters=(
            Parameter(
                "from", f"Rows begin at or after this: {_TIME}. Default: 24 hours before `to`", once=True
            ),
            Parameter("to", "Rows begin before this; same. Default: now, to the minute", once=True),
            Parameter("interval", "How long; 15m by default", tuple(spans.INTERVALS), once=True),
            Parameter("tz", "IANA zone by whose clock rows begin; UTC by default", once=True),
            *_PLACES,
            Parameter(
                "policy", "This service level instead of each queue's own", tuple(SERVICE_LEVELS), once=True
            ),
            Parameter(
                "format",
                "connect and genesys are imports of these; json by default",
                query.FORMATS,
                once=True,
            ),
            Parameter(
                "since",
                "Final rows with a larger revision, in its order; only with 15m, without from and to",
                once=True,
            ),
            Parameter(
                "limit",
                f"Rows of a page, 1 to {query.MOST_ROWS}; {query.DEFAULT_LIMIT} by default",
                once=True,
            ),
            Parameter("cursor", "Where the page begins; comes with `next`", once=True),
            Parameter(
                "outages",
                "Whether rows of an outage are wanted; include by default",
                query.OUTAGES,
                once=True,
            ),
        ),
        fails=_BAD | {501: "Parquet is not installed", 503: "No rows are kept here, or the store is away"},
        media=(intervals_api.CSV, intervals_api.PARQUET),
        unchanged="Nothing has changed since the answer with this `ETag`",
    ),
    Operation(
        path="/v1/kpis",
        name="kpis",
        summary="The dictionary: what every KPI means",
        answer=list[wire.KpiEntry],
        fails=_BAD,
    ),
    *plans.OPERATIONS,
    Operation(path="/metrics", name="metrics", summary="The same for Prometheus", answer="text/plain"),
    Operation(path="/healthz", name="healthz", summary="The process is alive", answer=wire.Health),
    Operation(
        path="/readyz",
        name="readyz",
        summary="The numbers may be trusted",
        answer=wire.Health,
        fails={503: "They may not: the store is away, nothing was claimed, or the data is too old"},
    ),
    Operation(path="/openapi.json", name="openapi", summary="This description", answer="application/json"),
    Operation(path="/docs", name="docs", summary="This description, for people", answer="text/html"),
    Operation(path="/", name="page", summary="The wallboard", answer="text/html"),
    Operation(path="/plan", name="plan", summary="The planning page", answer="text/html"),
)


def document() -> dict[str, Any]:
    """The description as data."""
    types = [op.answer for op in OPERATIONS if not isinstance(op.answer, str)]
    types += [problem for op in OPERATIONS for several in op.problems.values() for problem in several]
    types += [wire.Problem, wire.Beat]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    of_type = dict(zip(map(repr, types), schemas, strict=True))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "stream-app",
            "summary": "Live contact-centre KPIs",
            "description": "Ratios are 0…1, durations seconds, times carry an offset. null is no data.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "version": __version__,
        },
        "paths": {op.path: {"get": _operation(op, of_type)} for op in OPERATIONS},
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
    if op.parameters:
        out["parameters"] = [_parameter(parameter) for parameter in op.parameters]
    return out


def _parameter(parameter: Parameter) -> dict[str, Any]:
    value: dict[str, Any] = dict(parameter.schema or {"type": "string"})
    if parameter.values:
        value["enum"] = list(parameter.values)
    out = {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.text,
    }
    if parameter.once:
        return out | {"schema": value}
    return out | {"explode": True, "schema": {"type": "array", "items": value}}


def page(described: dict[str, Any]) -> str:
    """The description as a page of its own: nothing is loaded from elsewhere."""
    return "\n".join(_page(described)) + "\n"


def _page(described: dict[str, Any]) -> Iterator[str]:
    info = described["info"]
    yield '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(info['title'])}: API</title>"
    yield '<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/docs.css">'
    yield f"<header><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
    yield f"<p>{escape(info['description'])} "
    yield 'For programs: <a href="/openapi.json">openapi.json</a></p></header>'
    yield "<main><h2>Paths</h2>"
    for path, methods in described["paths"].items():
        op = methods["get"]
        yield f"<section><h3><code>GET {escape(path)}</code> {escape(op['summary'])}</h3>"
        if "description" in op:
            yield f"<p>{escape(op['description'])}</p>"
        yield "<table>"
        for parameter in op.get("parameters", ()):
            schema = parameter["schema"]
            values = ", ".join(schema.get("items", schema).get("enum", ()))
            again = ". Repeatable." if "items" in schema else "."
            text = escape(parameter["description"] + (f": {values}" if values else "") + again)
            yield f"<tr><td><code>?{escape(parameter['name'])}=</code><td>{text}"
        for status, answer in op["responses"].items():
            shapes = [
                f"{escape(media)} {_type(content['schema'])}"
                for media, content in answer.get("content", {}).items()
            ]
            yield (
                f"<tr><td>{status}<td>{escape(answer['description'])}"
                + (": " if shapes else "")
                + ", ".join(shapes)
            )
        yield "</table></section>"
    yield "<h2>Types</h2>"
    for name, schema in described["components"]["schemas"].items():
        yield f'<section id="{escape(name)}"><h3>{escape(name)}</h3>'
        yield f"<p>{escape(schema.get('description', ''))}</p><table>"
        for field, inner in schema["properties"].items():
            mark = "" if field in schema.get("required", ()) else " (may be missing)"
            text = escape(inner.get("description", "")) + mark
            yield f"<tr><td><code>{escape(field)}</code><td>{_type(inner)}<td>{text}"
        yield "</table></section>"
    yield "</main></html>"


def _type(schema: dict[str, Any]) -> str:
    """A schema in few words, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and "additionalProperties" in schema:
        return f"map to {_type(schema['additionalProperties'])}"
    return escape(str(kind))
