"""Grafana's contact points, notification policies and mute timings as provisioning files (9.4 or newer).

Grafana validates contact points when it starts: a secret's file that is missing or empty stops it. A secret that holds a dollar
is mangled: Grafana expands variables once more after it has read the file.
"""

from collections.abc import Iterator
from typing import Any, Final

from stream_app.views.text import GENERATED, to_yaml

from .alertmanager import TEXT, TITLE, tree
from .receivers import OFF_HOURS, Receivers, Told, off_hours

_CHOSEN: Final = (
    "Who is told is chosen by: stream-app render --out DIRECTORY --alerting grafana --receivers FILE",
    "(docs/alerting.md).",
)


def contact_points(receivers: Receivers) -> str:
    """``page`` and ``ticket``."""
    named = (("page", receivers.page), ("ticket", receivers.ticket))
    points = [{"orgId": 1, "name": name, "receivers": list(_receivers(name, told))} for name, told in named]
    return to_yaml({"apiVersion": 1, "contactPoints": points}, GENERATED, *_CHOSEN)


def policies(receivers: Receivers) -> str:
    """The one tree of the organisation: it replaces what was there."""
    root = {"orgId": 1, **tree(receivers, {"object_matchers": [["severity", "=", "ticket"]]})}
    return to_yaml({"apiVersion": 1, "policies": [root]}, GENERATED, *_CHOSEN)


def mute_timings(receivers: Receivers) -> str:
    """When tickets wait. Queues' own opening hours are part of the rules themselves."""
    if not receivers.hours:
        return to_yaml({"apiVersion": 1}, GENERATED, "Nobody said when tickets should wait.", *_CHOSEN)
    timing = {"orgId": 1, "name": OFF_HOURS, "time_intervals": off_hours(receivers.hours)}
    return to_yaml({"apiVersion": 1, "muteTimes": [timing]}, GENERATED, *_CHOSEN)


def _receivers(name: str, told: Told) -> Iterator[dict[str, Any]]:
    for kind, settings in _settings(told):
        yield {
            "uid": f"{name}-{kind}",
            "type": kind,
            "disableResolveMessage": False,
            "settings": settings,
        }


def _settings(told: Told) -> Iterator[tuple[str, dict[str, Any]]]:
    if told.webhook:
        settings: dict[str, Any] = {"url": told.webhook.url, "httpMethod": "POST"}
        if told.webhook.token_file:
            settings["authorization_scheme"] = "Bearer"
            settings["authorization_credentials"] = _secret(told.webhook.token_file)
        yield "webhook", settings
    if told.email:
        yield "email", {"addresses": ";".join(told.email.to), "singleEmail": False}
    if told.slack:
        yield (
            "slack",
            {
                "url": _secret(told.slack.url_file),
                "recipient": told.slack.channel,
                "title": TITLE,
                "text": TEXT,
            },
        )
    if told.pagerduty:
        yield "pagerduty", {"integrationKey": _secret(told.pagerduty.routing_key_file), "summary": TITLE}
    if told.opsgenie:
        url = f"{told.opsgenie.api_url.rstrip('/')}/v2/alerts"
        yield "opsgenie", {"apiKey": _secret(told.opsgenie.api_key_file), "apiUrl": url, "message": TITLE}


def _secret(file: str) -> str:
    return f"$__file{{{file}}}"
