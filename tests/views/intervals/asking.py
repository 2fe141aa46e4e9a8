"""Asking for interval rows."""

from __future__ import annotations

from typing import Any

from tests.views.serving import Served

from .kept import HOUR, MONDAY

RANGE = "from=2026-01-05&to=2026-01-07"
LAST = MONDAY + 48 * HOUR + 2
"""The largest revision there is."""


async def get(served: Served, query: str) -> dict[str, Any]:
    status, _, answer = await served.get(f"/v1/intervals?{query}")
    assert status == 200, answer
    found: dict[str, Any] = answer
    return found


async def every_page(served: Served, query: str) -> list[dict[str, Any]]:
    """Rows of all pages, by following ``next``."""
    found, path = [], f"/v1/intervals?{query}"
    while path:
        status, _, answer = await served.get(path)
        assert status == 200, answer
        found += answer["rows"]
        path = answer["next"]
    return found


OUTAGE = {
    "from": "2026-01-05T09:10:00Z",
    "to": "2026-01-05T09:50:00Z",
    "reason": "carrier",
    "channels": ["voice"],
}
