"""Interval rows by hand: the reference agrees with the pencil."""

from __future__ import annotations

import json

import pytest

from .model import Reference
from .quarters import CASES, Case


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_rows_are_those_of_the_pencil(case: Case) -> None:
    reference = Reference()
    for offset, (at, kind, fields) in enumerate(case.told):
        value = json.dumps({"id": f"e{offset}", "type": kind, "at": at, **fields}).encode()
        stamp = max(at, reference.partition_time)
        assert reference.feed(offset, value, stamp, by_broker=True) == "applied"
    rows = {(start, "/".join(place)): row for (start, *place), row in reference.rows().items()}
    assert rows == case.rows
    found = {(at, place): reference.backlog(at, *place.split("/")) for at, place in case.backlogs}
    assert found == case.backlogs
