"""Check that contacts are counted by the topic's number of partitions, and by no later version. Nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stream_app.errors import LaterEditionError, StreamAppError
from stream_app.kafka.connection import security
from stream_app.model.edition import EDITION
from stream_app.model.ports import Partition
from stream_app.settings import Settings
from stream_app.store.client import connect
from stream_app.store.editions import counted_by
from stream_app.store.topics import Keyed, look_up

from .findings import LIMIT_S, Finding, fail, ok, warn

WHAT: Final = "partitions"


async def look(settings: Settings, *, limit_s: float = LIMIT_S) -> list[Finding]:
    """Compare Kafka and Redis, both of which answer; a topic that does not exist yields no finding."""
    topic = settings.topic
    client = connect(settings.redis_url.get_secret_value(), timeout_s=limit_s)
    admin = AIOKafkaAdminClient(**security(settings) | {"request_timeout_ms": int(limit_s * 1000)})
    try:
        async with asyncio.timeout(limit_s), client:
            known = (await look_up(client, [topic]))[topic]
            await admin.start()
            found = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics(None)}
            editions = await counted_by(client, (Partition(topic, n) for n in range(found.get(topic, 0))))
    except (KafkaError, StreamAppError, OSError, TimeoutError) as error:
        reason = str(error) or f"no answer within {limit_s:g} s"
        return [warn(WHAT, f"can't be compared: {reason}", "run it again")]
    finally:
        await admin.close()
    return [judge(topic, known, found[topic]), *_later(editions)] if topic in found else []


def _later(editions: Mapping[Partition, int]) -> list[Finding]:
    """Return a finding about what this version may not go on with; none if there is nothing."""
    later = {str(partition): edition for partition, edition in editions.items() if edition > EDITION}
    if not later:
        return []
    counted = LaterEditionError(", ".join(later), max(later.values()), EDITION)
    what, _, advice = str(counted).partition(". ")
    return [fail(WHAT, what, advice)]


def judge(topic: str, known: Keyed, found: int) -> Finding:
    """Return the finding about a topic, given its number of partitions."""
    if known.moved:
        return fail(
            WHAT, f"contacts of {topic} were moved to {known.moved}", f"set STREAM_APP_TOPIC={known.moved}"
        )
    if known.keyed and found > known.keyed:
        noticed = Keyed(known.keyed, found, known.since)
        problem, _, advice = noticed.problem(topic).partition(". ")
        return fail(WHAT, problem, advice)
    counted = f"contacts are counted by {known.keyed}" if known.keyed else "nothing is counted yet"
    return ok(WHAT, counted)
