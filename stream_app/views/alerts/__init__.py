"""Alert rules and their receivers: rules from the catalogue, for Prometheus or for Grafana, never for both.

``rules()`` is the list; ``prometheus`` and ``grafana`` write it for their evaluator, ``alertmanager`` and
``contact_points`` route the alerts, ``receivers`` reads the people whom a centre wants to notify.
"""

from typing import Final, Literal, get_args

from . import catalogue, people, pipeline
from .rule import COMPOSE, RUNBOOK, Addresses, AlertRule

__all__ = ["ALERTERS", "COMPOSE", "RUNBOOK", "Addresses", "AlertRule", "Alerting", "rules"]

Alerting = Literal["grafana", "prometheus"]
"""The server that evaluates the rules."""
ALERTERS: Final[tuple[Alerting, ...]] = get_args(Alerting)


def rules() -> tuple[AlertRule, ...]:
    """Return every alert: those of the catalogue, those on who is there, and those on the pipeline."""
    return (*catalogue.rules(), *people.rules(), *pipeline.rules())
