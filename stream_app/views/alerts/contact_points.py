"""Grafana's contact points, notification policies and mute timings as provisioning files (9.4 or newer).

Grafana validates contact points when it starts: a secret's file that is missing or empty stops it. A secret that contains a
dollar sign is mangled: Grafana expands variables once more after it has read the file.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final

from stream_app.views.text import GENERATED, to_yaml

from .alertmanager import TEXT, TITLE, tree
from .receivers import OFF_HOURS, Audience, JiraServiceManagement, Opsgenie, Receivers, off_hours

LONGEST_UID: Final = 40
_CHOSEN: Final = (
    "To choose the receivers: stream-app render --out DIRECTORY --alerting grafana --receivers FILE",
    "(docs/alerting.md).",
)


def contact_points(receivers: Receivers) -> str:
    """Write the contact points ``page`` and ``ticket``, and those that custom rules name."""
    points = [
        {"orgId": 1, "name": name, "receivers": list(_receivers(name, whom))}
        for name, whom in receivers.everyone
    ]
    return to_yaml({"apiVersion": 1, "contactPoints": points}, GENERATED, *_CHOSEN)


def policies(receivers: Receivers) -> str:
    """Write the organisation's only policy tree: it replaces the one that was there."""
    root = {"orgId": 1, **tree(receivers, lambda label, value: {"object_matchers": [[label, "=", value]]})}
    return to_yaml({"apiVersion": 1, "policies": [root]}, GENERATED, *_CHOSEN)


def mute_timings(receivers: Receivers) -> str:
    """Write when tickets wait. The queues' own business hours are part of the rules themselves."""
    if not receivers.hours:
        return to_yaml(
            {"apiVersion": 1},
            GENERATED,
            "No office hours are set, so tickets are sent at any time.",
            *_CHOSEN,
        )
    timing = {"orgId": 1, "name": OFF_HOURS, "time_intervals": off_hours(receivers.hours)}
    return to_yaml({"apiVersion": 1, "muteTimes": [timing]}, GENERATED, *_CHOSEN)


def _receivers(name: str, audience: Audience) -> Iterator[dict[str, Any]]:
    for way, kind, settings in _settings(audience):
        yield {
            "uid": _uid(f"{name}-{way}"),
            "type": kind,
            "disableResolveMessage": False,
            "settings": settings,
        }


def _uid(text: str) -> str:
    """Return an id that Grafana accepts: it stays the same, and two texts have two ids."""
    return (
        text
        if len(text) <= LONGEST_UID
        else f"{text[:31]}-{blake2b(text.encode(), digest_size=4).hexdigest()}"
    )


def _settings(audience: Audience) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield our name of a way, Grafana's name of it, and its settings."""
    if audience.webhook:
        yield "webhook", "webhook", _webhook(audience.webhook.url, audience.webhook.token_file)
    if audience.email:
        yield "email", "email", {"addresses": ";".join(audience.email.to), "singleEmail": False}
    if audience.slack:
        settings = {"url": _secret(audience.slack.url_file), "recipient": audience.slack.channel}
        yield "slack", "slack", {**settings, "title": TITLE, "text": TEXT}
    if audience.teams:
        settings = {"url": _secret(audience.teams.url_file)}
        yield "teams", "teams", {**settings, "title": TITLE, "message": TEXT.replace("\n", "\n\n")}
    if audience.pagerduty:
        key = _secret(audience.pagerduty.routing_key_file)
        yield "pagerduty", "pagerduty", {"integrationKey": key, "summary": TITLE}
    if audience.incident_io:
        yield "incident_io", "webhook", _webhook(audience.incident_io.url, audience.incident_io.token_file)
    if audience.jira_service_management:
        yield "jira_service_management", "opsgenie", _opsgenie(audience.jira_service_management)
    if audience.opsgenie:
        yield "opsgenie", "opsgenie", _opsgenie(audience.opsgenie)


def _webhook(url: str, token_file: str | None) -> dict[str, Any]:
    settings: dict[str, Any] = {"url": url, "httpMethod": "POST"}
    if token_file:
        settings |= {"authorization_scheme": "Bearer", "authorization_credentials": _secret(token_file)}
    return settings


def _opsgenie(way: Opsgenie | JiraServiceManagement) -> dict[str, Any]:
    url = f"{way.api_url.rstrip('/')}/v2/alerts"
    return {"apiKey": _secret(way.api_key_file), "apiUrl": url, "message": TITLE}


def _secret(file: str) -> str:
    return f"$__file{{{file}}}"
