"""Check of the topic of the ledger's rows. Nothing is written, and no topic is created."""

from __future__ import annotations

from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from stream_app.model.durations import DAY

from .findings import Finding, ok, warn

WHAT: Final = "ledger topic"
SOON_MS: Final = 7 * DAY
"""Within this time what was replaced should be gone, such as the ids of people who are forgotten."""


async def look(admin: AIOKafkaAdminClient, name: str, ledger: str) -> list[Finding]:
    """Check the topic; ``name`` is empty where rows go to files only, and ``ledger`` where there is no ledger.

    Raises:
        KafkaError, OSError, TimeoutError: the cluster does not answer.
    """
    if not name:
        return []
    if not ledger:
        return [warn(WHAT, f"{name} gets no rows: there is no ledger", "set STREAM_APP_LEDGER, too")]
    topics = {topic["topic"]: topic for topic in await admin.describe_topics(None)}
    if name not in topics:
        return [
            ok(
                WHAT,
                f"{name} does not exist yet, or is not visible: stream-app ledger creates it, if allowed",
            )
        ]
    orphans = [one["partition"] for one in topics[name]["partitions"] if one["leader"] < 0]
    if orphans:
        detail = f"{name}: no leader for partition {', '.join(map(str, sorted(orphans)))}"
        return [warn(WHAT, detail, "start its brokers again")]
    asked = ConfigResource(
        ConfigResourceType.TOPIC, name, {"cleanup.policy": None, "max.compaction.lag.ms": None}
    )
    (answer,) = await admin.describe_configs([asked])
    code, _, _, _, entries = answer.resources[0][:5]
    if code:
        reason = for_code(code).__name__.removesuffix("Error")
        return [warn(WHAT, f"the settings of {name} can't be read: {reason}", "allow DESCRIBE_CONFIGS")]
    return [judge(name, {entry[0]: entry[1] for entry in entries})]


def judge(name: str, config: dict[str, Any]) -> Finding:
    """Check the topic's configuration."""
    policy, lag = config["cleanup.policy"], int(config.get("max.compaction.lag.ms") or 0)
    if policy != "compact":
        kept = "rows are deleted with time" if "delete" in policy else f"cleanup.policy is {policy}"
        return warn(WHAT, f"{name}: {kept}", "set cleanup.policy=compact, or it will not keep all of them")
    if not 0 < lag <= SOON_MS:
        detail = f"{name}: what is replaced may stay for long, also the ids of people who are forgotten"
        return warn(WHAT, detail, "set max.compaction.lag.ms=86400000")
    return ok(WHAT, f"{name}: compacted")
