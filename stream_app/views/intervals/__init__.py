"""Interval rows as they leave the program: other intervals and time zones, JSON, CSV, import files of other programs, Parquet.

``spans`` derives intervals, ``wire`` is a row as it is written, ``query`` what may be asked for, ``pages`` a page of it,
``formats`` and ``parquet`` the ways to write it, ``api`` the route.
"""
