"""``--map`` of commands that read records or lists of contacts."""

from __future__ import annotations

from collections.abc import Sequence

from stream_app.ingest.files import event_fields, is_call_list
from stream_app.tables.calls import CALL_ALIASES, KNOWN
from stream_app.tables.mapping import ColumnMap
from stream_app.zones import checked_zone

from .terminal import column_map


def recorded_map(maps: Sequence[str]) -> ColumnMap | None:
    """Read the ``--map`` of recorded events, or of a list of contacts; BadSettingsError names the option."""
    found = column_map(maps, {*event_fields(), *KNOWN}, aliases=CALL_ALIASES)
    return call_map(maps) if found is not None and is_call_list(found.fields) else found


def call_map(maps: Sequence[str]) -> ColumnMap | None:
    """Read the ``--map`` of a list of contacts; BadSettingsError names the option."""
    found = column_map(maps, KNOWN, aliases=CALL_ALIASES)
    if found is not None and found.zone is not None:
        checked_zone(found.zone, "--map: zone")
    return found
