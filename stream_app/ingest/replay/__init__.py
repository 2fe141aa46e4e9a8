"""Replay of recorded events: into a topic, through the fold into a store, or through the fold into a report."""

from .interval_rows import interval_rows
from .order import in_order
from .report import ReportRow, report
from .run import Account, FileReplay, StrictError
from .selection import Selection
from .stored import into_store
from .topic import RecordSink, ReplayPace, into_topic

__all__ = [
    "Account",
    "FileReplay",
    "RecordSink",
    "ReplayPace",
    "ReportRow",
    "Selection",
    "StrictError",
    "in_order",
    "interval_rows",
    "into_store",
    "into_topic",
    "report",
]
