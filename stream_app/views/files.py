"""Which files are generated: path from the root of the repository → text."""

from . import docs
from .alerts import ALERTERS, Alerting, alertmanager, contact_points, grafana, prometheus
from .alerts.receivers import UNCHOSEN, Receivers
from .dashboards import DASHBOARDS


def committed(readme: str, receivers: Receivers = UNCHOSEN) -> dict[str, str]:
    """The generated files of a checkout; ``readme`` is the README as it is, ``receivers`` is committed as nobody.

    ``<who>/…`` holds what both servers are given where *who* evaluates the alerts: rules for itself, and none
    for the other. So one name, chosen once, decides for both.

    Raises:
        StreamAppError: the README has lost its markers.
    """
    files = {
        "README.md": docs.readme(readme),
        "docs/kpis.md": docs.kpis(),
        "docs/lifecycle.md": docs.lifecycle_page(),
        **_dashboards(),
    }
    for who in ALERTERS:
        files |= _rules(f"{who}/provisioning/alerting", f"{who}/rules", who, receivers.runbook)
    return files | _told(receivers)


def deployed(who: Alerting, receivers: Receivers) -> dict[str, str]:
    """What servers are given that run without our ``docker-compose.yml``; exactly one of them has rules."""
    files = _dashboards() | _rules(
        "grafana/provisioning/alerting", "prometheus/rules", who, receivers.runbook
    )
    told = _told(receivers)
    return files | {name: text for name, text in told.items() if name.startswith(f"{who}/")}


def _dashboards() -> dict[str, str]:
    return {f"grafana/dashboards/{uid}.json": render() for uid, render in DASHBOARDS.items()}


def _rules(grafana_folder: str, prometheus_folder: str, who: Alerting, runbook: str) -> dict[str, str]:
    return {
        f"{grafana_folder}/rules.yaml": grafana.rule_file(active=who == "grafana", runbook=runbook),
        f"{prometheus_folder}/alerts.rules.yml": prometheus.rule_file(
            active=who == "prometheus", runbook=runbook
        ),
    }


def _told(receivers: Receivers) -> dict[str, str]:
    return {
        "grafana/provisioning/alerting/contact-points.yaml": contact_points.contact_points(receivers),
        "grafana/provisioning/alerting/policies.yaml": contact_points.policies(receivers),
        "grafana/provisioning/alerting/mute-timings.yaml": contact_points.mute_timings(receivers),
        "prometheus/alertmanager.yml": alertmanager.config(receivers),
    }
