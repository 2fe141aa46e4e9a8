"""Situations that people who run queues have reported as counted wrongly elsewhere, and what is right."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from stream_app.ingest.dialects import asterisk
from stream_app.ingest.files import Layout, RecordFile
from stream_app.ingest.replay import FileReplay, report
from stream_app.model.targets import Targets

REPORTS = Path(__file__).parent / "reports"
CASES: list[dict[str, Any]] = json.loads((REPORTS / "cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["situation"] for case in CASES])
def test_it_is_counted_right(case: dict[str, Any]) -> None:
    file = RecordFile(REPORTS / case["file"], Layout())
    rows = report([file], Targets(), FileReplay(asterisk.decode))
    found = {row.queue: structs.asdict(row) for row in rows}
    assert found.keys() == case["expected"].keys()
    for queue, expected in case["expected"].items():
        for name, value in expected.items():
            assert sum(found[queue][part] for part in name.split("+")) == value, (queue, name)
