"""Live KPIs for contact centres, accurate to the last contact.

    ingest ────────► model ────────► store ────────► views
    bytes → events   events → facts   deltas → Redis   snapshot → people, Prometheus, Grafana, schedulers
                     → deltas (pure)  → snapshots

    volumes, schedules ──► workforce    the staff that they require, and what the scheduled staff will achieve

Data flows left to right. Every package may import ``model``, which imports only pure standard library modules and msgspec.
``processes`` wires the worker and the server, ``commands`` is the command line; ``tests/test_layers.py`` lists every arrow.
Five nouns cross the borders and all live in ``model``:
Event (what the platform said) → Fact (what it means) → Deltas (what to add) → Snapshot (what is true now) →
Kpi (what to call it, and everything derived from it).
"""

__version__ = "0.1.0"
