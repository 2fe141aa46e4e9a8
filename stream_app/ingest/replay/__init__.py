"""Recorded events again: into a topic, through the fold into a store, or through the fold into a report."""

from .interval_rows import interval_rows
from .report import Row, report
from .run import Account, Run, StrictError
from .selection import Selection
from .stored import into_store
from .topic import Pace, Sink, into_topic

__all__ = [
    "Account",
    "Pace",
    "Row",
    "Run",
    "Selection",
    "Sink",
    "StrictError",
    "interval_rows",
    "into_store",
    "into_topic",
    "report",
]
