"""What differs between two documents of targets, and names in one that the store has never seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from stream_app.model.targets import Targets
from stream_app.model.targets.calendars import guess
from stream_app.store.seen import SeenNames

_PRESET: Final = "base"
"""What the preset contained: it says itself what differs, where its name does not."""
_NOTHING: Final = object()


def changes(before: Targets, after: Targets) -> list[str]:
    """Return a line for each value that differs: ``+`` is new, ``-`` is gone, ``~`` has changed; by place, like in TOML."""
    old, new = _leaves(before, after), _leaves(after, before)
    lines = []
    for place in sorted(old.keys() | new.keys()):
        was, now = old.get(place, _NOTHING), new.get(place, _NOTHING)
        if was is _NOTHING:
            lines.append(f"+ {place} = {_text(now)}")
        elif now is _NOTHING:
            lines.append(f"- {place} = {_text(was)}")
        elif was != now:
            lines.append(f"~ {place}: {_text(was)} → {_text(now)}")
    return lines


def unseen(targets: Targets, seen: SeenNames) -> list[str]:
    """Return a line for each queue or channel of the targets that the store has never seen, with the closest name that it has.

    Empty where the store has seen none at all, for nothing can be said then.
    """
    if not seen.queues:
        return []
    lines = [
        f"queues.{_key(queue)}: this queue was never seen{guess(queue, seen.queues)}"
        for queue in targets.queues
        if queue not in seen.queues
    ]
    named = [(f"channels.{_key(channel)}", channel) for channel in targets.channels]
    for queue, overrides in targets.queues.items():
        named += [(f"queues.{_key(queue)}.channels.{_key(one)}", one) for one in overrides.channels]
    lines += [
        f"{place}: this channel was never seen{guess(channel, seen.channels)}"
        for place, channel in named
        if channel not in seen.channels
    ]
    return sorted(lines)


def _leaves(targets: Targets, other: Targets) -> dict[str, Any]:
    document = msgspec.json.decode(targets.to_json())
    preset = document.pop(_PRESET, {})
    leaves = dict(_flat("", document))
    if targets.preset == other.preset:
        leaves |= _flat(f"preset {targets.preset!r}, ", preset)
    return leaves


def _flat(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield place, value
        return
    for name, inner in value.items():
        dot = "." if place and not place.endswith(" ") else ""
        yield from _flat(f"{place}{dot}{_key(name)}", inner)


def _key(name: str) -> str:
    """Write a name as TOML would."""
    bare = name and all(one.isascii() and (one.isalnum() or one in "-_") for one in name)
    return name if bare else msgspec.json.encode(name).decode()


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
