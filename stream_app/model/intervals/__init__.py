"""Interval rows: ``counting`` adds them up while events are folded, ``row`` is one of them, ``day`` holds a published day."""
