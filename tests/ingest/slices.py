"""Records as a consumer hands them to a partition."""

import asyncio
from collections.abc import Sequence

from stream_app.ingest.batch import KafkaRecord, Read, Slices


async def slices(*parts: Sequence[KafkaRecord]) -> Slices:
    """A batch that was read in so many parts; the loop turns between them."""
    for part in parts:
        yield Read(0, part)
        await asyncio.sleep(0)
