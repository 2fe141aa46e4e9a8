"""A contact centre that does not exist, true to its settings: a seed in, events and a ledger of truth out."""

from .centre import Centre
from .incidents import Incident, parse as parse_incident
from .ledger import Ledger, Row
from .presets import centre
from .settings import After, Duration, Patience, Queue, Settings

__all__ = [
    "After", "Centre", "Duration", "Incident", "Ledger", "Patience", "Queue", "Row", "Settings", "centre",
    "parse_incident",
]  # fmt: skip
