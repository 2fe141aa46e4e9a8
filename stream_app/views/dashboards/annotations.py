"""What happened meanwhile: the events that are drawn as vertical lines over every chart of a dashboard."""

from typing import Final

from stream_app.views import alerts, naming
from stream_app.views.alerts.rule import AlertRule

from .look import AMBER, BLUE, RED, Panel
from .panels import SOURCE
from .queries import CHOSEN, QUEUES

_STEP: Final = "60s"
_SPAN: Final = "[$__rate_interval]"
"""At least as long as the distance between two points, however long the time range: nothing falls between them."""


def annotations(*, queues: bool) -> list[Panel]:
    """Draw the dashboard's events; where it has ``queues`` to choose, the alerts of these and no others.

    Grafana's own list has the alerts of every queue, and is therefore off until somebody turns it on.
    """
    return [_grafanas_own(), *([_alerts()] if queues else []), _untrusted(), _targets(), _counted_again()]


def _grafanas_own() -> Panel:
    return {
        "name": "Grafana's own: notes, and alerts of any queue",
        "builtIn": 1,
        "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        "enable": False,
        "hide": False,
        "iconColor": "rgba(0, 211, 255, 1)",
        "type": "dashboard",
        "target": {"limit": 100, "matchAny": False, "tags": [], "type": "dashboard"},
    }


def _event(name: str, colour: str, expression: str, title: str, text: str, *labels: str) -> Panel:
    return {
        "name": name,
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "expr": expression,
        "step": _STEP,
        "titleFormat": title,
        "textFormat": text,
        "tagKeys": ",".join(labels),
    }


def _alerts() -> Panel:
    """Draw the conditions of pages: they can be asked of Prometheus whichever program evaluates the rules."""
    met = " or ".join(_met(rule) for rule in alerts.rules() if _is_drawn(rule))
    place = f'{{{CHOSEN},{naming.SITE}=~"$site"}}'
    expression = f"({met}) and on ({QUEUES}) {naming.QUEUE_INFO}{place}"
    text = "Its condition was met here; people are notified if that lasts."
    return _event(
        "Alerts of the chosen queues",
        RED,
        expression,
        "{{alert}}: {{queue}} {{channel}}",
        text,
        naming.QUEUE,
        naming.CHANNEL,
    )


def _is_drawn(rule: AlertRule) -> bool:
    """Return whether it is a page about a queue, and cheap: comparing with former weeks at each point is not."""
    return (
        rule.group == "kpis"
        and rule.severity == "page"
        and naming.QUEUE in rule.by
        and " offset " not in rule.value
    )


def _met(rule: AlertRule) -> str:
    value = " ".join(rule.value.split())
    return f'label_replace(({value}) > {rule.above:g}, "alert", "{rule.name}", "", "")'


def _untrusted() -> Panel:
    ready = f"max(min_over_time({naming.READY}{_SPAN}))"
    return _event(
        "Outages of the data",
        AMBER,
        f"1 - {ready} or absent_over_time({naming.READY}{_SPAN})",
        "The numbers could not be trusted",
        "Stale, incomplete or missing: lines have a gap. Pipeline health shows why.",
    )


def _targets() -> Panel:
    return _event(
        "New targets",
        BLUE,
        f"max(changes({naming.TARGETS_VERSION}{_SPAN}))",
        "New targets in force",
        "`stream-app config apply`: targets, policies or opening hours changed. Later numbers are judged by these.",
    )


def _counted_again() -> Panel:
    return _event(
        "Rebuilds",
        "purple",
        f"max(resets({naming.RECORDS}{_SPAN}))",
        "Counted again",
        "`stream-app rebuild`, or Redis went back to an older state: numbers fall, and rise again.",
    )
