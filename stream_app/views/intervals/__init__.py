"""Interval rows leave the program here: other intervals and zones, JSON, CSV, imports of other programs, Parquet.

``spans`` derives intervals, ``wire`` is a row as it is written, ``query`` what may be asked for, ``pages`` a page of it,
``formats`` and ``parquet`` the ways to write it, ``api`` the route.
"""
