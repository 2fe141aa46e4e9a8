"""Live KPIs for contact centres, right to the last contact.

    ingest ────────► model ────────► store ────────► views
    bytes → events   events → facts   deltas → Redis   snapshot → people, Prometheus, Grafana, schedulers
                     → deltas (pure)  → snapshots

    volumes, rosters ──► workforce    how many people that needs, and what they will reach

Data flows left to right; imports form a star: everyone may import ``model``, ``model`` imports nothing but pure
standard library and msgspec, and ``app`` alone wires the rest. Five nouns cross the borders and all live in ``model``:
Event (what the platform said) → Fact (what it means) → Deltas (what to add) → Snapshot (what is true now) →
Kpi (what to call it, and all that derives from it).
"""

__version__ = "0.1.0"
