"""When people are told, and who: rules from the catalogue, for Prometheus or for Grafana, never for both.

``rules()`` is the list; ``prometheus`` and ``grafana`` write it down for their evaluator, ``alertmanager`` and
``contact_points`` say where alerts go, ``receivers`` reads whom a centre wants to be told.
"""

from typing import Final, Literal, get_args

from . import catalogue, pipeline
from .rule import RUNBOOK, Rule

__all__ = ["ALERTERS", "RUNBOOK", "Alerting", "Rule", "rules"]

Alerting = Literal["grafana", "prometheus"]
"""Who evaluates the rules."""
ALERTERS: Final[tuple[Alerting, ...]] = get_args(Alerting)


def rules() -> tuple[Rule, ...]:
    """Every alert: those of the catalogue, and those on the pipeline."""
    return (*catalogue.rules(), *pipeline.rules())
