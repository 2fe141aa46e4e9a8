"""This machine's wall clock, for modules that may read one. It may be wrong, and may be set at any moment."""

import time


def wall_ms() -> int:
    """Return the wall clock's time, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
