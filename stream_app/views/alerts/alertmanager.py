"""Alertmanager's configuration (0.25 or newer; for Microsoft Teams 0.28), where Prometheus evaluates the alerts."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from stream_app.views.text import GENERATED, to_yaml

from .receivers import OFF_HOURS, Audience, JiraServiceManagement, Opsgenie, Receivers, Smtp, off_hours

GROUP_BY: Final = ("severity", "group", "alertname")
"""However many queues an outage hits, each kind of alert is one message that lists them. Another kind is another message:
the person who has taken on the first one must hear of it."""
WAIT, AGAIN, REPEAT = "30s", "5m", {"page": "4h", "ticket": "24h"}
_DATA: Final = "Data(Missing|Untrusted)"
"""DataStale is not among them: the rules themselves begin and end nothing then, until one ``serve`` is fresh."""
_FOLLOW: Final = (
    "service_level|abandonment|first_response|first_response_business|backlog|oldest_awaiting_reply"
)
"""Alerts that follow from long waits."""
_WAITING: Final = f"{_FOLLOW}|oldest_waiting|offered|nobody_there"
"""Alerts that follow from one cause: more contacts, or fewer agents."""
WATCHDOG: Final = "watchdog"


def config(receivers: Receivers) -> str:
    """Write routes, inhibitions and receivers. The watchdog is sent to the receiver of this name, or nowhere."""
    document: dict[str, Any] = {}
    if receivers.smtp:
        document["global"] = _smtp(receivers.smtp)
    document["route"] = tree(receivers, lambda label, value: {"matchers": [f'{label} = "{value}"']})
    # As often as Alertmanager evaluates groups: its absence must be noticed soon.
    beat = {"group_wait": "0s", "group_interval": "1m", "repeat_interval": "1m"}
    document["route"]["routes"].append(
        {"receiver": WATCHDOG, "matchers": ['severity = "none"'], "group_by": ["alertname"], **beat}
    )
    document["inhibit_rules"] = list(_inhibitions())
    if receivers.hours:
        document["time_intervals"] = [{"name": OFF_HOURS, "time_intervals": off_hours(receivers.hours)}]
    document["receivers"] = [{"name": name, **_receiver(audience)} for name, audience in receivers.everyone]
    if WATCHDOG not in receivers.named:
        document["receivers"].append({"name": WATCHDOG})
    return to_yaml(
        document,
        GENERATED,
        "To choose the receivers: stream-app render --out DIRECTORY --alerting prometheus --receivers FILE",
        "(docs/alerting.md). Secrets are read from the files that are named here.",
    )


def tree(receivers: Receivers, match: Callable[[str, str], dict[str, Any]]) -> dict[str, Any]:
    """Make the routing tree, for Grafana as well; ``match`` writes label = value in the notifier's own syntax."""

    def ticket(receiver: str) -> dict[str, Any]:
        found = {"receiver": receiver, **match("severity", "ticket"), "repeat_interval": REPEAT["ticket"]}
        return found | ({"mute_time_intervals": [OFF_HOURS]} if receivers.hours else {})

    named = [
        {"receiver": name, **match("receiver", name), "routes": [ticket(name)]} for name in receivers.named
    ]
    return {
        "receiver": "page",
        "group_by": list(GROUP_BY),
        "group_wait": WAIT,
        "group_interval": AGAIN,
        "repeat_interval": REPEAT["page"],
        "routes": [*named, ticket("ticket")],
    }


def _inhibitions() -> Iterator[dict[str, Any]]:
    """Yield the inhibitions: a cause, or a more urgent alert on the same, is sent alone."""
    yield _inhibition([f'alertname =~ "{_DATA}"'], ['group =~ "kpis|custom"'])
    # Without numbers they are neither fresh nor published; which of these was first does not matter.
    yield _inhibition(['alertname = "DataMissing"'], ['alertname = "DataStale"'])
    yield _inhibition(
        ['alertname =~ "Data(Missing|Stale)"'], ['alertname =~ "IntervalRowsNotPublished|IntervalTopicFails"']
    )
    place = ["queue", "channel"]
    about = ['group = "kpis"', f'kpi =~ "{_WAITING}"']
    yield _inhibition([*about, 'severity = "page"'], [*about, 'severity = "ticket"'], place)
    # Prometheus lets only one page of a queue begin; after it has lost its memory, this one is sent.
    waits = ['group = "kpis"', 'kpi = "oldest_waiting"']
    follows = ['group = "kpis"', f'kpi =~ "{_FOLLOW}"']
    yield _inhibition(waits, follows, [*place, "severity"])
    yield _inhibition(
        ['alertname =~ ".+Burns"'], ['alertname =~ ".+(OffTarget|BurnsSlowly)"'], ["kpi", *place]
    )
    yield _inhibition(
        ['alertname = "ContactsInClosedQueue"'], ['alertname = "ContactLeftInClosedQueue"'], place
    )


def _inhibition(source: list[str], target: list[str], equal: list[str] | None = None) -> dict[str, Any]:
    same = {"equal": equal} if equal else {}
    return {"source_matchers": source, "target_matchers": target, **same}


def _smtp(smtp: Smtp) -> dict[str, Any]:
    out = {"smtp_smarthost": smtp.smarthost, "smtp_from": smtp.sender, "smtp_require_tls": True}
    if smtp.username:
        out["smtp_auth_username"] = smtp.username
    if smtp.password_file:
        out["smtp_auth_password_file"] = smtp.password_file
    return out


def _receiver(audience: Audience) -> dict[str, Any]:
    out: dict[str, Any] = {}
    hooks = [
        _webhook(way.url, way.token_file)
        for way in (audience.webhook, audience.incident_io)
        if way is not None
    ]
    if hooks:
        out["webhook_configs"] = hooks
    if audience.email:
        out["email_configs"] = [{"to": ", ".join(audience.email.to), "send_resolved": True}]
    if audience.slack:
        out["slack_configs"] = [
            {
                "api_url_file": audience.slack.url_file,
                "channel": audience.slack.channel,
                "send_resolved": True,
                "title": TITLE,
                "text": TEXT,
            }
        ]
    if audience.pagerduty:
        out["pagerduty_configs"] = [
            {
                "routing_key_file": audience.pagerduty.routing_key_file,
                "send_resolved": True,
                "description": TITLE,
            }
        ]
    if audience.teams:
        # A single line break is none in a card.
        text = TEXT.replace("\n", "\n\n")
        out["msteamsv2_configs"] = [
            {"webhook_url_file": audience.teams.url_file, "send_resolved": True, "title": TITLE, "text": text}
        ]
    genies = [
        _opsgenie(way) for way in (audience.jira_service_management, audience.opsgenie) if way is not None
    ]
    if genies:
        out["opsgenie_configs"] = genies
    return out


def _webhook(url: str, token_file: str | None) -> dict[str, Any]:
    bearer = {"authorization": {"type": "Bearer", "credentials_file": token_file}}
    return {"url": url, "send_resolved": True, **({"http_config": bearer} if token_file else {})}


def _opsgenie(way: Opsgenie | JiraServiceManagement) -> dict[str, Any]:
    url = f"{way.api_url.rstrip('/')}/"  # it appends to this
    return {"api_key_file": way.api_key_file, "api_url": url, "send_resolved": True, "message": TITLE}


TITLE: Final = (
    "{{ if .Alerts.Firing }}{{ (index .Alerts.Firing 0).Annotations.summary }}"
    "{{ if gt (len .Alerts.Firing) 1 }}, the first of {{ len .Alerts.Firing }}{{ end }}"
    "{{ else }}Resolved: {{ (index .Alerts.Resolved 0).Annotations.summary }}{{ end }}"
)
"""A line, also for Grafana: both speak Go's templates over the same data."""
TEXT: Final = (
    "{{ range .Alerts.Firing }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\n{{ .Annotations.do }}\n"
    "{{ with .Annotations.wallboard_url }}{{ . }}\n{{ end }}{{ with .Annotations.dashboard_url }}{{ . }}\n{{ end }}"
    "{{ .Annotations.runbook_url }}\n{{ end }}"
    "{{ range .Alerts.Resolved }}Resolved: {{ .Annotations.summary }}\n{{ end }}"
)
