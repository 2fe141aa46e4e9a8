"""What platforms send, with what must become of it: one JSON file a dialect, one case a line.

A case has a ``name``, a ``value`` (a text as it is, anything else as JSON), ``headers`` where there are any, and either the
``events`` (a field that is not named is not stated; ids only where they say something) or the ``error``.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct


class Case(Struct, frozen=True):
    name: str
    value: bytes
    raw: Any
    headers: tuple[tuple[str, bytes], ...]
    events: tuple[dict[str, Any], ...] | None
    error: str | None

    def __repr__(self) -> str:
        return self.name


def path_of(dialect: str) -> Path:
    return Path(__file__).parent / f"{dialect}.jsonl"


@cache
def gallery(dialect: str) -> tuple[Case, ...]:
    """Of a dialect; empty while nobody has written it, of which one test tells."""
    path = path_of(dialect)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return tuple(_case(json.loads(line)) for line in lines)


def _case(line: dict[str, Any]) -> Case:
    raw = line["value"]
    return Case(
        name=line["name"],
        value=encode(raw),
        raw=raw,
        headers=tuple((name, value.encode()) for name, value in line.get("headers", {}).items()),
        events=None if "error" in line else tuple(line["events"]),
        error=line.get("error"),
    )


def encode(raw: Any) -> bytes:
    return raw.encode() if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False).encode()
