"""The generated files: path from the root of the repository → text."""

from collections.abc import Mapping
from typing import Final

from . import budget, docs, runbook
from .alerts import ALERTERS, COMPOSE, Addresses, Alerting, alertmanager, contact_points, grafana, prometheus
from .alerts.receivers import UNCHOSEN, Receivers
from .dashboards import DASHBOARDS
from .links import WALLBOARD, WHY

PARTLY: Final = ("README.md", "docs/intervals.md", "prometheus/prometheus.yml")
"""Written by hand except for one part."""
READ: Final = (*PARTLY, "docs/runbook.md")
"""What generated files are made of, besides the catalogue."""


def committed(
    partly: Mapping[str, str], receivers: Receivers = UNCHOSEN, addresses: Addresses = COMPOSE
) -> dict[str, str]:
    """Make the generated files of a checkout; ``partly`` are those of ``READ`` as they are, ``receivers`` defaults to nobody.

    ``<who>/…`` holds the rule files of both servers where *who* evaluates the alerts: rules for itself, and none
    for the other. So one name, chosen once, decides for both.

    Raises:
        StreamAppError: one of them has lost the place of its generated part.
    """
    files = {
        "README.md": docs.readme(partly["README.md"]),
        "docs/intervals.md": docs.intervals(partly["docs/intervals.md"]),
        "prometheus/prometheus.yml": budget.scrape_configuration(partly["prometheus/prometheus.yml"]),
        "docs/kpis.md": docs.kpis(),
        "docs/lifecycle.md": docs.lifecycle_page(),
        f"stream_app/views{runbook.PATH}": runbook.page(partly["docs/runbook.md"]),
        **_dashboards(addresses),
    }
    for who in ALERTERS:
        files |= _rules(f"{who}/provisioning/alerting", f"{who}/rules", who, receivers.runbook, addresses)
    return files | _routes(receivers)


def deployed(who: Alerting, receivers: Receivers, addresses: Addresses = COMPOSE) -> dict[str, str]:
    """Make the files for servers that run without our ``docker-compose.yml``; exactly one of them has rules."""
    files = _dashboards(addresses) | _rules(
        "grafana/provisioning/alerting", "prometheus/rules", who, receivers.runbook, addresses
    )
    routes = _routes(receivers)
    return files | {name: text for name, text in routes.items() if name.startswith(f"{who}/")}


def _dashboards(addresses: Addresses) -> dict[str, str]:
    given, mine = (f'"{at}{WHY}' for at in (WALLBOARD, addresses.wallboard))
    return {
        f"grafana/dashboards/{uid}.json": render().replace(given, mine) for uid, render in DASHBOARDS.items()
    }


def _rules(
    grafana_folder: str, prometheus_folder: str, who: Alerting, runbook: str, addresses: Addresses
) -> dict[str, str]:
    return {
        f"{grafana_folder}/rules.yaml": grafana.rule_file(
            active=who == "grafana", runbook=runbook, addresses=addresses
        ),
        f"{prometheus_folder}/alerts.rules.yml": prometheus.rule_file(
            active=who == "prometheus", runbook=runbook, addresses=addresses
        ),
    }


def _routes(receivers: Receivers) -> dict[str, str]:
    return {
        "grafana/provisioning/alerting/contact-points.yaml": contact_points.contact_points(receivers),
        "grafana/provisioning/alerting/policies.yaml": contact_points.policies(receivers),
        "grafana/provisioning/alerting/mute-timings.yaml": contact_points.mute_timings(receivers),
        "prometheus/alertmanager.yml": alertmanager.config(receivers),
    }
