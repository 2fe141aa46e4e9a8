"""What a shell completes for several commands."""

from stream_app.ingest import dialects
from stream_app.model.kpis import BY_NAME, SERVICE_LEVELS
from stream_app.views.ledger.query import BY_NAME as OF_LEDGER
from stream_app.zones import zone_names as known_zones


def dialect_names(incomplete: str) -> list[str]:
    """Return the dialects whose names begin so."""
    return [name for name in dialects.available() if name.startswith(incomplete)]


def zone_names(incomplete: str) -> list[str]:
    """Return the IANA time zones whose names begin so, in any case."""
    return sorted(zone for zone in known_zones() if zone.lower().startswith(incomplete.lower()))


def kpi_names(incomplete: str) -> list[str]:
    """Return the KPIs whose names begin so, those of the ledger last."""
    return [name for name in (*BY_NAME, *OF_LEDGER) if name.startswith(incomplete)]


def policy_names(incomplete: str) -> list[str]:
    """Return the service-level policies whose names begin so."""
    return [name for name in SERVICE_LEVELS if name.startswith(incomplete)]
