"""Deltas in, snapshots out: counters in Redis, exactly once."""
