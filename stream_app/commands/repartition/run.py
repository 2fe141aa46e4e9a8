"""Moving open contacts and agents: the preconditions, what is moved, and in which order."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from msgspec import structs

from stream_app.commands.rebuild import ALIVE_MS, first_stamp
from stream_app.commands.terminal import bar
from stream_app.errors import FencedError, LaterEditionError, StreamAppError
from stream_app.failpoints import Failpoints
from stream_app.kafka.connection import reachable, security
from stream_app.kafka.partitioners import PARTITIONERS, sources
from stream_app.model.edition import EDITION
from stream_app.model.ports import Partition
from stream_app.model.presence import Presence
from stream_app.settings import Settings
from stream_app.store.client import connect
from stream_app.store.moving import Moving, Standing, Target
from stream_app.store.topics import WHAT_TO_DO, Keyed, look_up

from .moves import Moves, Reassignment, infer, place_agents, plan
from .shown import show, show_agents


async def repartition(
    settings: Settings,
    *,
    to: str | None,
    partitioner: str | None,
    wait_s: int,
    yes: bool,
    failpoints: Failpoints,
) -> None:
    """Show what would move, or move it.

    Raises:
        StreamAppError: something must be done first, or the partitioner is not known; nothing was moved.
    """
    if partitioner is not None and partitioner not in PARTITIONERS:
        raise StreamAppError(
            f"--partitioner: unknown partitioner {partitioner!r}; use one of {', '.join(PARTITIONERS)}"
        )
    client = connect(settings.redis_url.get_secret_value())
    async with client, _kafka(settings) as (counts, consumer):
        known = (await look_up(client, [settings.topic]))[settings.topic]
        change = _change(settings.topic, to, known, counts)
        if change is None:
            return
        moving = Moving(client)
        standing = {partition: await moving.standing(partition) for partition in change.old}
        for partition, one in standing.items():
            if one.edition > EDITION:
                raise LaterEditionError(partition, one.edition, EDITION)
        await _refuse_owner(moving, standing)
        if change.elsewhere:
            await _refuse_used(moving, change.topic)
            await _refuse_unread(consumer, standing, change.former, counts[change.former])
        else:
            _refuse_early(change, standing, wait_s)
        contacts = {partition.number: await moving.contacts(partition) for partition in change.old}
        chosen = partitioner or infer(contacts, change.keyed, change.partitions)
        moves = plan(contacts, chosen, change.keyed, change.partitions, elsewhere=change.elsewhere)
        known_agents = {partition: await moving.agents(partition) for partition in change.old}
        agents = place_agents(known_agents, chosen, change.all)
        show(change, moves, chosen)
        show_agents(known_agents, agents)
        if not yes:
            typer.echo("nothing was done; add --yes")
            return
        await _do(consumer, moving, change, standing, moves, agents, failpoints)
    typer.echo(f"start the workers{f' with STREAM_APP_TOPIC={change.topic}' if change.elsewhere else ''}")


# Preconditions ----------------------------------------------------------------------------------------


def _change(topic: str, to: str | None, known: Keyed, counts: Mapping[str, int]) -> Reassignment | None:
    """Return the requested change; ``None`` if it was already made."""
    target = topic if to is None else to
    for name in {topic, target}:
        if name not in counts:
            raise StreamAppError(f"topic {name} does not exist; create it, or check the name")
    if to == topic:
        raise StreamAppError(
            f"--to: expected another topic, got {to} itself; leave --to out if it only got more partitions"
        )
    if known.moved:
        if known.moved != target:
            raise StreamAppError(
                f"contacts of {topic} were moved to {known.moved}; set STREAM_APP_TOPIC={known.moved}"
            )
        typer.echo(
            f"contacts of {topic} were already moved to {target}; start the workers with STREAM_APP_TOPIC={target}"
        )
        return None
    if not known.keyed:
        raise StreamAppError(
            f"it is not known by how many partitions contacts of {topic} are counted; start a worker of this version first"
        )
    if to is None and counts[topic] <= known.keyed:
        typer.echo(f"{topic}: contacts are already counted by {known.keyed} partitions; nothing to move")
        return None
    return Reassignment(topic, target, known.keyed, counts[target], known)


async def _refuse_owner(moving: Moving, standing: Mapping[Partition, Standing]) -> None:
    now = await moving.now()
    for partition, one in standing.items():
        if now - one.beat_at < ALIVE_MS:
            raise StreamAppError(f"{partition} is still owned by a worker; stop the workers first")


async def _refuse_used(moving: Moving, topic: str) -> None:
    if used := sorted(await moving.known(topic)):
        raise StreamAppError(
            f"--to: {used[0]} was read before, so it has its own counted contacts; use a topic that was never read"
        )


async def _refuse_unread(
    consumer: AIOKafkaConsumer, standing: Mapping[Partition, Standing], topic: str, partitions: int
) -> None:
    """Refuse to move while the former topic has uncounted records: it will not be read again."""
    places = [TopicPartition(topic, n) for n in range(partitions)]
    begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    for place in places:
        one = standing.get(Partition(topic, place.partition))
        position = begins[place] if one is None or one.position is None else one.position
        if position != ends[place]:
            raise StreamAppError(
                f"{topic}.{place.partition}: the store is at offset {position}, but the topic ends at {ends[place]}. Let "
                f"producers write only to the other topic, and let the workers read this one to its end; {WHAT_TO_DO}"
            )


def _refuse_early(change: Reassignment, standing: Mapping[Partition, Standing], wait_s: int) -> None:
    """Refuse to move while records written by the former number of partitions may be unread."""
    if change.known.found < change.partitions:
        raise StreamAppError(
            f"{change.topic} has {change.partitions} partitions, but no worker has noticed yet. Start the workers, which hold "
            f"the new partitions and read the others, and stop them after {wait_s} s; {WHAT_TO_DO}"
        )
    enough = change.known.since + wait_s * 1000
    for partition, one in standing.items():
        if one.beat_at < enough:
            raise StreamAppError(
                f"{partition} was read until {_clock(one.beat_at)}, but producers may have used the former number of "
                f"partitions until {_clock(enough)}, {wait_s} s after the change was noticed. Start the workers, and stop them "
                f"after that time, which --wait sets; {WHAT_TO_DO}"
            )
        if not one.was_read:
            raise StreamAppError(
                f"{partition} was not read to its end: it was at offset {one.beat_position} of {one.beat_end}. Start the "
                "workers, and stop them when nothing is unread"
            )


def _clock(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%H:%M:%S} UTC" if ms else "never"


# What is moved ------------------------------------------------------------------------------------------------


async def _targets(
    consumer: AIOKafkaConsumer,
    moving: Moving,
    change: Reassignment,
    standing: Mapping[Partition, Standing],
    moves: Moves,
) -> list[Target]:
    """Return all partitions as they will be."""
    arriving = moves.arriving()
    now = await moving.now()
    stay = [Target(p, 0 if change.elsewhere else arriving.get(p.number, 0)) for p in change.old]
    places = {p: TopicPartition(p.topic, p.number) for p in change.new}
    consumer.assign(list(places.values()))
    begins = await consumer.beginning_offsets(list(places.values()))
    ends = await consumer.end_offsets(list(places.values()))
    new = []
    for partition, place in places.items():
        # As late as all sources, but not later than the next record, which would otherwise be late.
        times = [standing[one].time for one in _sources(change, partition)]
        first = await first_stamp(consumer, place, begins[place], ends[place], now)
        time = max(0, min([first, *filter(None, times)])) if any(times) else 0
        # An added partition begins at 0, so that records deleted while it waits are noticed.
        begin = begins[place] if change.elsewhere else 0
        edition = max((standing[one].edition for one in _sources(change, partition)), default=0)
        new.append(Target(partition, arriving.get(partition.number, 0), begin, time, edition))
    return [*stay, *new]


def _sources(change: Reassignment, partition: Partition) -> list[Partition]:
    return [Partition(change.former, n) for n in sources(partition.number, change.keyed, change.partitions)]


async def _do(  # noqa: PLR0917 - everything that is known by then
    consumer: AIOKafkaConsumer,
    moving: Moving,
    change: Reassignment,
    standing: Mapping[Partition, Standing],
    moves: Moves,
    agents: Mapping[Partition, Mapping[str, Presence]],
    failpoints: Failpoints,
) -> None:
    targets = [
        structs.replace(target, agents=len(agents.get(target.partition, ())))
        for target in await _targets(consumer, moving, change, standing, moves)
    ]
    for target in targets:
        position = await moving.hold(target.partition)
        before = standing[target.partition].position if target.partition in standing else None
        if position != before:
            raise FencedError(
                f"{target.partition} is at offset {position}, but was at {before} a moment ago: a worker owns it. Nothing was "
                "moved; stop the workers and run it again"
            )
        await failpoints.hit("repartition_held")
    with bar("contacts", sum(map(len, moves.targets.values()))) as move_on:
        for partition in change.old:
            mine = {
                contact: Partition(change.topic, n) for contact, n in moves.targets[partition.number].items()
            }
            async for n in moving.stage(partition, mine):
                await failpoints.hit("repartition_staged")
                move_on(advance=n)
    for (contact, number), found in moves.several.items():
        where = [Partition(change.former, n) for n in found]
        await moving.merge(contact, where, Partition(change.topic, number))
    for partition, arriving in agents.items():
        await moving.stage_agents(partition, arriving)
    for target in targets:
        if target.position is not None:
            await moving.remember(target, _sources(change, target.partition))
            await failpoints.hit("repartition_remembered")
    await failpoints.hit("repartition_ready")
    await moving.move(change.topic, change.former, change.partitions, targets)
    await failpoints.hit("repartition_moved")


# Kafka -----------------------------------------------------------------------------------------


@asynccontextmanager
async def _kafka(settings: Settings) -> AsyncIterator[tuple[dict[str, int], AIOKafkaConsumer]]:
    """Yield how many partitions each topic has, and a consumer to read them."""
    admin = AIOKafkaAdminClient(**security(settings))
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # what it would log is raised as well
    try:
        try:
            with reachable(settings):
                await admin.start()
            # All of them: a cluster may create a topic that is requested by name.
            found = await admin.describe_topics(None)
        finally:
            await admin.close()
        counts = {topic["topic"]: len(topic["partitions"]) for topic in found}
        async with AIOKafkaConsumer(**security(settings), enable_auto_commit=False) as consumer:
            yield counts, consumer
    except KafkaError as error:
        raise StreamAppError(f"Kafka at {settings.kafka_bootstrap_servers}: {error}") from None
