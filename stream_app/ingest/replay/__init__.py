"""Recorded events again: into a topic, through the fold into a store, or through the fold into a report."""

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
    "into_store",
    "into_topic",
    "report",
]
