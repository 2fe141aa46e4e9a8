"""A fictitious contact centre, true to its settings: a seed in, events and a ledger of truth out."""

from .centre import Centre
from .habits import Habits
from .incidents import Incident, parse as parse_incident
from .ledger import Ledger, LedgerRow
from .presets import centre
from .settings import After, CentreSettings, Duration, Patience, QueueSettings

__all__ = [
    "After",
    "Centre",
    "CentreSettings",
    "Duration",
    "Habits",
    "Incident",
    "Ledger",
    "LedgerRow",
    "Patience",
    "QueueSettings",
    "centre",
    "parse_incident",
]  # fmt: skip
