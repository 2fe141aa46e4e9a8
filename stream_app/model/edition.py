"""The edition of the specification by which this code counts."""

from typing import Final

EDITION: Final = 3
"""Raise it with every change of ``docs/semantics.md`` after which the same events give other numbers.

A partition's store has the edition by which it was counted last, and a worker of an earlier one refuses to go on: no contact
is counted by two.
"""
