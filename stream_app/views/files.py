"""Which files are generated: path from the root of the repository → text."""

from . import alerts, docs, grafana

DASHBOARD = "grafana/dashboards/live-queues.json"
"""The file of the dashboard."""


def committed(readme: str) -> dict[str, str]:
    """The generated files of a checkout; ``readme`` is the README as it is.

    ``<who>/…`` holds what both servers are given where *who* evaluates the alerts: rules for itself, and none
    for the other. So one name, chosen once, decides for both.

    Raises:
        StreamAppError: the README has lost its markers.
    """
    files = {
        "README.md": docs.readme(readme),
        "docs/kpis.md": docs.kpis(),
        "docs/lifecycle.md": docs.lifecycle_page(),
        DASHBOARD: grafana.dashboard(),
    }
    for who in alerts.ALERTERS:
        files[f"{who}/provisioning/alerting/kpis.yaml"] = alerts.grafana_rules(active=who == "grafana")
        files[f"{who}/rules/kpis.rules.yml"] = alerts.prometheus_rules(active=who == "prometheus")
    return files


def deployed(who: alerts.Alerting) -> dict[str, str]:
    """What servers are given that run without our ``docker-compose.yml``; exactly one of them has rules."""
    return {
        DASHBOARD: grafana.dashboard(),
        "grafana/provisioning/alerting/kpis.yaml": alerts.grafana_rules(active=who == "grafana"),
        "prometheus/rules/kpis.rules.yml": alerts.prometheus_rules(active=who == "prometheus"),
    }
