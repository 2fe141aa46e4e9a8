"""Files of records: plain, gzip or zstd; one record a line, or tables (CSV). Read in constant memory.

What is wrong with a line is a dead letter like any other (``Refused``). What is wrong with a file ends the reading with one
line that names file and place (``FileError``); all records before the damage have been handed over by then.
"""

from .reading import Layout, Line, RecordFile, readable
from .refusal import FileError, Refused, checked
from .tables import parse_columns

__all__ = ["FileError", "Layout", "Line", "RecordFile", "Refused", "checked", "parse_columns", "readable"]
