"""Names of queues and channels that people give commands."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from stream_app.errors import BadSettingsError
from stream_app.model.targets.calendars import guess
from stream_app.store.moments import Moments


async def check_seen(redis_url: str, **given: Collection[str] | None) -> None:
    """Refuse names that were never seen: without contacts, a misspelt queue would look like a quiet one.

    Args:
        redis_url: the worker's.
        given: ``queue`` or ``channel``, as their options are called → names; ``None``: nothing was given.

    Raises:
        BadSettingsError: the first name that was never seen.
        StoreUnavailableError: Redis is not within reach.
    """
    if not any(given.values()):
        return
    moments = Moments(redis_url)
    try:
        known: Mapping[str, Collection[str]] = await moments.names()
    finally:
        await moments.close()
    for kind, names in given.items():
        for name in names or ():
            if name not in known[kind]:
                raise BadSettingsError(
                    f"--{kind}: {name!r} was never seen{guess(name, [*known[kind]])}; is REDIS_URL that of the worker?"
                )
