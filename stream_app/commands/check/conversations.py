"""The choices about conversations that are in force in each queue and channel, and those of them that mislead."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

from redis.exceptions import RedisError

from stream_app.errors import StreamAppError
from stream_app.model.events import QueueChannel
from stream_app.model.fold.cells import Cell, add_into, unpack_cell
from stream_app.model.ports import Partition
from stream_app.model.targets import Targets
from stream_app.model.targets.in_force import MADE_BY, SettingInForce, in_force
from stream_app.model.targets.misleading import Traffic, misleading
from stream_app.model.windows import TOTAL
from stream_app.store import keys
from stream_app.store.client import connect
from stream_app.store.queue_channels import QueueChannels

from .findings import LIMIT_S, Finding, ok, warn

WHAT: Final = "conversations"
Counted = Mapping[QueueChannel, Traffic]


async def counted(url: str, *, limit_s: float = LIMIT_S) -> Counted | Finding:
    """Return what was counted in every queue and channel so far, or why that can't be read."""
    client = connect(url, timeout_s=limit_s)
    numbers: dict[str, int] = {}
    names = QueueChannels(client, numbers.update)
    sums: dict[QueueChannel, Cell] = {}
    try:
        async with asyncio.timeout(limit_s), client:
            await names.learn()
            for text in sorted(await client.smembers(keys.PARTITIONS)):
                cells = await client.hgetall(keys.cells(Partition.parse(text.decode()), TOTAL, 0))
                fields = [field for field in cells if not names.is_retired(field)]
                await names.know(fields)
                for field in fields:
                    add_into(sums.setdefault(names.of(field), {}), unpack_cell(cells[field]))
    except (RedisError, StreamAppError, OSError, TimeoutError) as error:
        reason = str(error) or f"no answer within {limit_s:g} s"
        return warn(WHAT, f"what was counted can't be read: {reason}", "allow this user to read kpi:*")
    return {
        place: Traffic(
            answered=_of(cell, numbers, "answered"),
            replies=_of(cell, numbers, "replies"),
            handed_off=_of(cell, numbers, "from_bot"),
            closed_unanswered=_of(cell, numbers, "closed_unanswered"),
            fcr_answers=_of(cell, numbers, "fcr_answers"),
        )
        for place, cell in sorted(sums.items())
    }


def _of(cell: Cell, numbers: Mapping[str, int], name: str) -> int:
    return cell.get(numbers.get(name, 0), 0)


def judge(targets: Targets, traffic: Counted, *, now: int, tells_messages: bool) -> list[Finding]:
    """Return one line for each queue and channel that has contacts or choices of its own, and warn of those that mislead.

    Args:
        targets: the document.
        traffic: what was counted so far.
        now: ms.
        tells_messages: whether the source reports the messages of written contacts.
    """
    found: list[Finding] = []
    everywhere: set[tuple[str, str]] = set()
    for queue, channel in _places(targets, traffic):
        chosen = in_force(targets, queue, channel, tells_messages=tells_messages)
        if _worth_a_line(targets, traffic, (queue, channel), chosen, tells_messages=tells_messages):
            found.append(ok(WHAT, f"{queue or '*'} ({channel}): {_said(targets, chosen)}"))
        for one in misleading(
            targets,
            queue,
            channel,
            now=now,
            tells_messages=tells_messages,
            traffic=traffic.get((queue, channel)),
        ):
            if not queue:
                everywhere.add((channel, one.detail))
            if not queue or (channel, one.detail) not in everywhere:
                found.append(warn(WHAT, f"{queue or '*'} ({channel}): {one.detail}", one.advice))
    return found


def _places(targets: Targets, traffic: Counted) -> Iterator[QueueChannel]:
    """Yield what is looked at: first the channels of queues that the document does not name, as the queue ``""``."""
    yield from (("", channel) for channel in targets.channels_named(""))
    for queue in dict.fromkeys((*targets.queues, *(queue for queue, _ in traffic))):
        own = targets.queues[queue].channels if queue in targets.queues else {}
        here = dict.fromkeys((*own, *(channel for name, channel in traffic if name == queue)))
        yield from ((queue, channel) for channel in here or targets.channels_named(queue))


def _worth_a_line(
    targets: Targets,
    traffic: Counted,
    place: QueueChannel,
    chosen: list[SettingInForce],
    *,
    tells_messages: bool,
) -> bool:
    queue, channel = place
    if not queue:
        return any(choice.made_by != "default" for choice in chosen)
    if place in traffic or (queue in targets.queues and channel in targets.queues[queue].channels):
        return True
    return chosen != in_force(targets, "", channel, tells_messages=tells_messages)


def _said(targets: Targets, chosen: list[SettingInForce]) -> str:
    """Return what is in force, by who chose it."""
    titles = {"setting": "set", "preset": f"by preset {targets.preset}", "default": "by default"}
    groups = ((titles[by], [str(one) for one in chosen if one.made_by == by]) for by in MADE_BY)
    return "; ".join(f"{title}: {', '.join(group)}" for title, group in groups if group)
