"""Records as a consumer hands them to a partition."""

import asyncio
from collections.abc import Sequence

from stream_app.ingest.batch import Record, Slices


async def slices(*parts: Sequence[Record]) -> Slices:
    """A batch that was read in so many parts; the loop turns between them."""
    for part in parts:
        yield part
        await asyncio.sleep(0)
