"""What is wrong with the texts of Grafana's alert rules: templates that fail, links that lead elsewhere, words nobody uses."""

import re
from collections.abc import Iterator, Mapping, Sequence

from stream_app.model.kpis import KPIS
from stream_app.model.kpis.measures import Unit
from stream_app.views import naming
from stream_app.views.alerts.expressions import BY
from tests.views.dashboards.linting import Json, metrics

NEEDED = ("summary", "description", "do", "runbook_url", "dashboard_url")
JARGON = ("budget", "burn", "slo", "sli", "error rate", "threshold", "breaching")
"""Words of those who run servers; messages are for those who run a floor."""
_TIMES = {naming.value(kpi) for kpi in KPIS if kpi.unit is Unit.SECONDS} | {
    naming.target(kpi) for kpi in KPIS if kpi.unit is Unit.SECONDS
}
_ACTION = re.compile(r"\{\{-? *(.*?) *-?\}\}")
_READ = re.compile(r"\.Values\.(\w+)")


def text_problems(rule: Json) -> Iterator[str]:
    """Yield what is wrong with the texts of one rule."""
    title, texts = rule["title"], rule["annotations"]
    queries = _queries(rule)
    for name, text in texts.items():
        where = f"{title} {name}"
        yield from _guard_problems(where, text)
        for step, inner in _read_steps(text):
            if step not in queries:
                yield f"{where}: reads {step}, which is no last value"
            elif "humanizePercentage" in inner and metrics(queries[step]) & _TIMES:
                yield f"{where}: a percentage of a time"
        said = _ACTION.sub("", text).lower()
        if name in {"summary", "description", "do"}:
            yield from (f"{where}: says {word}" for word in JARGON if re.search(rf"\b{word}s?\b", said))
    said = texts.get("summary", "")
    yield from _link_problems(title, texts, [label for label in BY if f".Labels.{label}" in said])


def _queries(rule: Json) -> dict[str, str]:
    """Step that reduces a query to its last value → the query."""
    steps = {step["refId"]: step["model"] for step in rule["data"]}
    return {
        name: steps[model["expression"]]["expr"]
        for name, model in steps.items()
        if model.get("type") == "reduce" and "expr" in steps.get(model["expression"], {})
    }


def _read_steps(text: str) -> Iterator[tuple[str, str]]:
    """Yield each step that a text reads, and the text from there to the next one."""
    parts = _READ.split(text)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def _guard_problems(where: str, text: str) -> Iterator[str]:
    """Without a row, a step has no value, and a template that formats it fails; also while nothing fires."""
    blocks: list[str] = []
    for action in _ACTION.findall(text):
        word, _, rest = action.partition(" ")
        if word in {"with", "range", "if"}:
            blocks.append(action)
        elif word == "end":
            if not blocks:
                yield f"{where}: an end too many"
                return
            blocks.pop()
            continue
        if _READ.search(action) and word != "with":
            yield f"{where}: reads {action} without a guard"
        reads_value = re.search(r"(?<![\w.])\.Value\b", rest if word == "with" else action)
        if reads_value and not any(block.startswith("with .Values.") for block in blocks):
            yield f"{where}: reads {action} outside of a guard"
    if blocks:
        yield f"{where}: {blocks[-1]} has no end"


def _link_problems(title: str, texts: Mapping[str, str], about: Sequence[str]) -> Iterator[str]:
    """Yield links that lead elsewhere; ``about`` are the labels of what the message is about."""
    places = ("dashboard_url", "wallboard_url")
    if not re.match(r"https?://[^#]+#\w+\Z", texts.get("runbook_url", "")):
        yield f"{title} runbook_url: no absolute address with a section"
    for name in places if about else places[:1]:
        address = texts.get(name, "")
        if not re.match(r"https?://|\{\{ externalURL", address):
            yield f"{title} {name}: no absolute address"
        for label in about:
            if f"{label}={{{{ .Labels.{label} | urlquery }}}}" not in address:
                yield f"{title} {name}: opens another {label}"
