"""Files of records: plain, gzip or zstd; one record per line, or tables (CSV). Read in constant memory.

A line that can't be read is a dead letter like any other (``RefusedLine``). A file that can't be read ends the reading with one
line that names file and place (``FileError``), after all records before the damage have been delivered.
"""

from .call_lists import is_call_list
from .looking import FirstRows, look
from .reading import FileRecord, Layout, RecordFile, readable
from .refusal import FileError, RefusedLine, checked
from .tables import cells_of, event_fields

__all__ = [
    "FileError",
    "FileRecord",
    "FirstRows",
    "Layout",
    "RecordFile",
    "RefusedLine",
    "cells_of",
    "checked",
    "event_fields",
    "is_call_list",
    "look",
    "readable",
]
