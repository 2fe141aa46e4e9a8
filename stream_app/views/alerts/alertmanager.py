"""Alertmanager's configuration (0.25 or newer), for those whose alerts Prometheus evaluates."""

from collections.abc import Iterator
from typing import Any, Final

from stream_app.views.text import GENERATED, to_yaml

from .receivers import OFF_HOURS, Opsgenie, Receivers, Smtp, Told, off_hours

GROUP_BY: Final = ("severity", "group", "alertname")
"""However many queues an outage hits, each kind of alert is one message, which lists them. Another kind is another message:
whoever has taken the first one on must hear of it."""
WAIT, AGAIN, REPEAT = "30s", "5m", {"page": "4h", "ticket": "24h"}
_DATA: Final = "Data(Missing|Untrusted)"
"""Stale data are not among them: the rules themselves fall silent then, and speak as soon as one ``serve`` is fresh."""


def config(receivers: Receivers) -> str:
    """Routes, inhibitions and receivers."""
    document: dict[str, Any] = {}
    if receivers.smtp:
        document["global"] = _smtp(receivers.smtp)
    document["route"] = tree(receivers, {"matchers": ['severity = "ticket"']})
    document["inhibit_rules"] = list(_inhibitions())
    if receivers.hours:
        document["time_intervals"] = [{"name": OFF_HOURS, "time_intervals": off_hours(receivers.hours)}]
    document["receivers"] = [
        {"name": name, **_receiver(told)}
        for name, told in (("page", receivers.page), ("ticket", receivers.ticket))
    ]
    return to_yaml(
        document,
        GENERATED,
        "Who is told is chosen by: stream-app render --out DIRECTORY --alerting prometheus --receivers FILE",
        "(docs/alerting.md). Secrets are read from the files that are named here.",
    )


def tree(receivers: Receivers, tickets: dict[str, Any]) -> dict[str, Any]:
    """Who is told of what, for Grafana as well; ``tickets`` are matched in the words of whoever tells."""
    ticket = {"receiver": "ticket", **tickets, "repeat_interval": REPEAT["ticket"]}
    if receivers.hours:
        ticket["mute_time_intervals"] = [OFF_HOURS]
    return {
        "receiver": "page",
        "group_by": list(GROUP_BY),
        "group_wait": WAIT,
        "group_interval": AGAIN,
        "repeat_interval": REPEAT["page"],
        "routes": [ticket],
    }


def _inhibitions() -> Iterator[dict[str, Any]]:
    """What is the cause, or says the same more urgently, is told alone."""
    yield {
        "source_matchers": [f'alertname =~ "{_DATA}"'],
        "target_matchers": ['group = "kpis"'],
    }
    same = ["kpi", "queue", "channel"]
    yield {
        "source_matchers": ['group = "kpis"', 'severity = "page"'],
        "target_matchers": ['group = "kpis"', 'severity = "ticket"'],
        "equal": same,
    }


def _smtp(smtp: Smtp) -> dict[str, Any]:
    out = {"smtp_smarthost": smtp.smarthost, "smtp_from": smtp.sender, "smtp_require_tls": True}
    if smtp.username:
        out["smtp_auth_username"] = smtp.username
    if smtp.password_file:
        out["smtp_auth_password_file"] = smtp.password_file
    return out


def _receiver(told: Told) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if told.webhook:
        bearer = {"authorization": {"type": "Bearer", "credentials_file": told.webhook.token_file}}
        http = {"http_config": bearer} if told.webhook.token_file else {}
        out["webhook_configs"] = [{"url": told.webhook.url, "send_resolved": True, **http}]
    if told.email:
        out["email_configs"] = [{"to": ", ".join(told.email.to), "send_resolved": True}]
    if told.slack:
        out["slack_configs"] = [
            {
                "api_url_file": told.slack.url_file,
                "channel": told.slack.channel,
                "send_resolved": True,
                "title": TITLE,
                "text": TEXT,
            }
        ]
    if told.pagerduty:
        out["pagerduty_configs"] = [
            {"routing_key_file": told.pagerduty.routing_key_file, "send_resolved": True, "description": TITLE}
        ]
    if told.opsgenie:
        out["opsgenie_configs"] = [_opsgenie(told.opsgenie)]
    return out


def _opsgenie(way: Opsgenie) -> dict[str, Any]:
    return {"api_key_file": way.api_key_file, "api_url": way.api_url, "send_resolved": True, "message": TITLE}


TITLE: Final = (
    "{{ if .Alerts.Firing }}{{ (index .Alerts.Firing 0).Annotations.summary }}"
    "{{ if gt (len .Alerts.Firing) 1 }}, the first of {{ len .Alerts.Firing }}{{ end }}"
    "{{ else }}Over: {{ (index .Alerts.Resolved 0).Annotations.summary }}{{ end }}"
)
"""A line, also for Grafana: both speak Go's templates over the same data."""
TEXT: Final = (
    "{{ range .Alerts.Firing }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n"
    "{{ .Annotations.runbook_url }}\n{{ end }}"
    "{{ range .Alerts.Resolved }}Over: {{ .Annotations.summary }}\n{{ end }}"
)
