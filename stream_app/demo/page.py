"""The demo's view of its own API."""

import json
import urllib.error
import urllib.request
from typing import Any

from msgspec import Struct

from .ports import HOST

_WINDOW = "5m"


class Look(Struct):
    """A summary of the live numbers.

    Attributes:
        offered: contacts so far.
        waiting: contacts in all queues now.
        service_level: of the last five minutes, over all queues; ``None`` without contacts.
    """

    offered: int = 0
    waiting: int = 0
    service_level: float | None = None

    def __str__(self) -> str:
        level = "-" if self.service_level is None else f"{self.service_level:.0%}"
        return f"{self.waiting:,} waiting, service level {level} (last 5 minutes), {self.offered:,} contacts so far"


def is_ready(port: int) -> bool:
    """Return whether the API has live numbers to show."""
    return _get(port, "/readyz") is not None


def look(port: int) -> Look | None:
    """Return the live numbers; ``None`` if they are unavailable."""
    body = _get(port, "/v1/now")
    return None if body is None else summary(json.loads(body))


def summary(document: Any) -> Look:
    """Summarise an answer of ``/v1/now``; ratios are weighted by their samples."""
    out, met, samples = Look(), 0.0, 0
    for row in document["rows"]:
        out.offered += row["totals"].get("offered") or 0
        out.waiting += row["levels"].get("backlog") or 0
        level = row["windows"].get(_WINDOW, {}).get("service_level") or {}
        if (value := level.get("value")) is not None:
            met += value * level["samples"]
            samples += level["samples"]
    out.service_level = met / samples if samples else None
    return out


def _get(port: int, path: str) -> bytes | None:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=2) as answer:
            body: bytes = answer.read()
            return body
    except (urllib.error.URLError, OSError):
        return None
