"""A table of a database client as JSON: however the client folds its rows, each is a record."""

import json
from pathlib import Path

import pytest

from stream_app.ingest import dialects
from stream_app.ingest.files import Layout, RecordFile
from stream_app.ingest.replay import FileReplay, report
from stream_app.model.targets import Targets

ROWS = [
    {"id": "1", "time": "2026-01-15 09:00:00", "callid": "A.1", "queuename": "sales", "agent": "NONE"}
    | {"event": "ENTERQUEUE", "data1": "", "data2": '5}{"],', "data3": "1"},
    {"id": "2", "time": "2026-01-15 09:00:12", "callid": "A.1", "queuename": "sales", "agent": "SIP/1"}
    | {"event": "CONNECT", "data1": "12", "data2": "A.2", "data3": None},
    {"id": "3", "time": "2026-01-15 09:01:12", "callid": "A.1", "queuename": "sales", "agent": "SIP/1"}
    | {"event": "COMPLETECALLER", "data1": "12", "data2": "60", "data3": "1"},
]
LINES = [json.dumps(row) for row in ROWS]
FOLDED = json.dumps(ROWS, indent=2)
LAYOUTS = {
    "one row per line": "\n".join(LINES),
    "one line": json.dumps(ROWS),
    "folded": FOLDED,
    "folded with tabs": json.dumps(ROWS, indent="\t"),
    "folded at the margin": json.dumps(ROWS, indent=0),
    "folded, brackets together": FOLDED.replace("[\n  {", "[{", 1).replace("}\n]", "}]"),
    "folded objects alone": "\n".join(json.dumps(row, indent=2) for row in ROWS),
    "brackets on lines of their own": "[\n" + ",\n".join(LINES) + "\n]",
    "brackets beside the rows": "[" + ",\n".join(LINES) + "]",
    "a blank before each row": " [" + ", \n ".join(LINES) + "]",
    "commas in front": "[" + LINES[0] + "\n," + "\n,".join(LINES[1:]) + "\n]",
    "a list with a name": '{\n"queue_log": ' + json.dumps(ROWS, indent="\t") + "}\n",
}


def counted(path: Path, text: str, form: str | None = None) -> tuple[dict[str, int], list[tuple[int, int]]]:
    """Return the results of a report, and per row offered and handled."""
    path.write_text(text)
    file = RecordFile(path, Layout(dialect="asterisk", format=form))  # type: ignore[arg-type]
    run = FileReplay(dialects.load("asterisk"))
    rows = report([file], Targets(), run)
    return dict(run.account.results), [(row.offered, row.handled) for row in rows]


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_row_of_an_export_counts(tmp_path: Path, layout: str, ending: str) -> None:
    text = LAYOUTS[layout].replace("\n", ending)
    assert counted(tmp_path / "queue_log.json", text) == ({"applied": 3}, [(1, 1)])


def test_a_table_within_a_table_loses_only_what_is_no_row(tmp_path: Path) -> None:
    """Clients that export whole databases put lines about the table before its rows."""
    head = ['{"type":"header","version":"5.2.1"},', '{"type":"database","name":"asterisk"},']
    table = ['{"type":"table","name":"queue_log","data":', "[", ",\n".join(LINES), "]", "}"]
    text = "\n".join(["[", *head, *table, "]"])
    assert counted(tmp_path / "db.json", text) == ({"dead_letter": 3, "applied": 3}, [(1, 1)])


@pytest.mark.parametrize("layout", ["folded", "folded with tabs", "brackets on lines of their own"])
def test_a_damaged_row_takes_no_other_with_it(tmp_path: Path, layout: str) -> None:
    text = LAYOUTS[layout].replace('"CONNECT"', '"CONN')
    results, rows = counted(tmp_path / "f", text)
    assert results == {"dead_letter": 1, "applied": 2}
    assert rows == [(1, 1)]  # the end states how it began


def test_a_queue_log_that_is_named_as_such_is_never_unfolded(tmp_path: Path) -> None:
    results, _ = counted(tmp_path / "f", FOLDED, "queue_log")
    assert results == {"dead_letter": len(FOLDED.splitlines())}
