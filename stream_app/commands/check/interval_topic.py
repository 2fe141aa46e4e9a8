"""Check of the topic of interval rows. Nothing is written, and no topic is created."""

from __future__ import annotations

from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from .findings import Finding, ok, warn

_WHAT: Final = "interval topic"


async def look(admin: AIOKafkaAdminClient, name: str) -> list[Finding]:
    """Check the topic; ``name`` is empty where rows go to Redis only.

    Raises:
        KafkaError, OSError, TimeoutError: the cluster does not answer.
    """
    if not name:
        return []
    topics = {topic["topic"]: topic for topic in await admin.describe_topics(None)}
    if name not in topics:
        return [ok(_WHAT, f"{name} does not exist yet: a worker creates it, if allowed")]
    partitions = len(topics[name]["partitions"])
    if partitions > 1:
        return [warn(_WHAT, f"{name} has {partitions} partitions: only one is used", "recreate it with one")]
    asked = ConfigResource(ConfigResourceType.TOPIC, name, {"cleanup.policy": None})
    (answer,) = await admin.describe_configs([asked])
    code, _, _, _, entries = answer.resources[0][:5]
    if code:
        reason = for_code(code).__name__.removesuffix("Error")
        return [warn(_WHAT, f"the settings of {name} can't be read: {reason}", "allow DESCRIBE_CONFIGS")]
    return [judge(name, {entry[0]: entry[1] for entry in entries})]


def judge(name: str, config: dict[str, Any]) -> Finding:
    """Check the topic's configuration."""
    policy = config["cleanup.policy"]
    if policy == "compact":
        return ok(_WHAT, f"{name}: compacted")
    kept = "rows are deleted with time" if "delete" in policy else f"cleanup.policy is {policy}"
    return warn(_WHAT, f"{name}: {kept}", "set cleanup.policy=compact, or it will not keep all of them")
