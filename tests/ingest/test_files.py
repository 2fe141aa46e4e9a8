"""Files of records: however they are packed, cut and damaged, every line is a record, a dead letter, or a named error."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import tracemalloc
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, strategies as st

from stream_app.commands.maps import recorded_map
from stream_app.errors import BadSettingsError, UnreadableError
from stream_app.ingest.dialects import canonical
from stream_app.ingest.files import (
    FileError,
    Layout,
    RecordFile,
    RefusedLine,
    checked,
    event_fields,
    readable,
)
from stream_app.ingest.files.lines import split
from stream_app.ingest.files.reading import SLICE
from stream_app.tables.mapping import ColumnMap
from tests.model.streams import FIELDS, T0

decode = checked(canonical.decode)
SKIPPED = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"  # a zstd frame that holds nothing
FIRST = b'{"first": true}'


def zstd(data: bytes) -> bytes:
    """One frame, written as a stream: its length is not known in front."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


def halves(pack: Callable[[bytes], bytes], between: bytes = b"") -> Callable[[bytes], bytes]:
    return lambda data: pack(data[: len(data) // 2]) + between + pack(data[len(data) // 2 :])


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "two gzips": halves(gzip.compress),
    "a padded gzip": lambda data: gzip.compress(data) + b"\0" * 600,
    "zstd": zstd,
    "two zstds": halves(zstd, SKIPPED),
    "a parallel zstd": lambda data: SKIPPED + zstd(data),
}
packed = pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)


def records(path: Path, layout: Layout | None = None) -> list[tuple[int, bytes]]:
    """Line number and value of every record; numbers of records are checked on the way."""
    with RecordFile(path, layout or Layout()) as file:
        found = [line for lines in file.slices() for line in lines]
    assert [line.offset for line in found] == list(range(len(found)))
    assert not any(line.cut for line in found[:-1])
    return [(line.number, line.value or b"") for line in found]


def until_damage(path: Path) -> tuple[list[bytes], str]:
    """What a file gave, and how it ended."""
    found: list[bytes] = []
    try:
        with RecordFile(path, Layout()) as file:
            for lines in file.slices():
                found += [line.value or b"" for line in lines]
    except FileError as error:
        return found, str(error)
    return found, ""


def refusal(value: bytes) -> UnreadableError:
    with pytest.raises(UnreadableError) as error:
        decode(value)
    return error.value


# --- lines ---

_line = st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"").rstrip(b"\r"))
_ends = st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \t\r\n"])


@packed
@given(lines=st.lists(st.tuples(_line, _ends), max_size=12), bom=st.booleans(), last=st.booleans())
def test_every_line_is_a_record_but_empty_ones(
    tmp_path_factory: pytest.TempPathFactory,
    pack: Callable[[bytes], bytes],
    lines: list[tuple[bytes, bytes]],
    bom: bool,
    last: bool,
) -> None:
    text = FIRST + b"\n" + b"".join(line + end for line, end in lines)
    text = text if last else text.rstrip(b"\r\n")
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(pack(b"\xef\xbb\xbf" * bom + text))
    expected = [(n, line.removesuffix(b"\r")) for n, line in enumerate(text.split(b"\n"), 1)]
    assert records(path) == [(n, line) for n, line in expected if line.strip()]


@given(st.binary(max_size=60), st.lists(st.integers(0, 60)), st.integers(1, 70))
def test_it_does_not_matter_how_the_bytes_come(data: bytes, cuts: list[int], keep: int) -> None:
    data = b"..." + data  # not what a byte order mark begins with
    bounds = sorted({0, len(data), *(c for c in cuts if c < len(data))})
    pieces = [data[a:b] for a, b in pairwise(bounds)]
    whole = list(split(iter([data]), keep))
    assert list(split(iter(pieces), keep)) == whole
    assert [length for _, _, length, _ in whole] == [
        len(line.removesuffix(b"\r")) for line in data.removesuffix(b"\n").split(b"\n")
    ]
    assert [ended for *_, ended in whole] == [True] * (len(whole) - 1) + [data.endswith(b"\n")]


def test_only_the_last_line_can_be_cut(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for text, cut in ((b"{}\n{}", True), (b"{}\n{}\n", False)):
        path.write_bytes(text)
        with RecordFile(path, Layout()) as file:
            ((_, last),) = file.slices()
            assert last.cut is cut


def test_slices_are_never_empty_and_never_longer_than_one(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for count in (0, 1, SLICE, SLICE + 1, 3 * SLICE):
        path.write_bytes(b"{}\n" * count)
        with RecordFile(path, Layout()) as file:
            sizes = [len(lines) for lines in file.slices()]
        assert sizes == [SLICE] * (count // SLICE) + [count % SLICE] * (count % SLICE > 0)


@packed
def test_a_long_line_is_refused_with_its_length_and_its_neighbours_are_read(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "f"
    longest = b"x" * 65_536
    path.write_bytes(pack(b"\r\n".join([FIRST, longest, longest + b"x", b"y" * 1_000_000, b"{}"])))
    found = records(path)
    assert [value for _, value in found[:2] + found[4:]] == [FIRST, longest, b"{}"]
    for (number, value), length in zip(found[2:4], (65_537, 1_000_000), strict=True):
        assert (number, len(value) <= 512) == (3 if length == 65_537 else 4, True)
        assert str(refusal(value)) == f"too_large: the line has {length} bytes; the limit is 65536"


@pytest.mark.slow
@packed
def test_memory_does_not_grow_with_the_file_nor_with_a_line(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "f"
    path.write_bytes(pack(FIRST + b"\n" + b"\0" * 30_000_000 + b"\n" + b'{"a":1}\n' * 200_000))
    tracemalloc.start()
    try:
        with RecordFile(path, Layout()) as file:
            count = sum(len(lines) for lines in file.slices())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 200_002
    assert peak < 16_000_000


# --- damage ---

TEXT = b"".join(b'{"n":%d,"pad":"%x"}\n' % (n, random.Random(n).getrandbits(200)) for n in range(300))
LINES = TEXT.splitlines()


@given(st.sampled_from([gzip.compress, zstd]), st.integers(0, 1 << 30))
def test_a_cut_file_gives_whole_records_only_and_says_so(
    tmp_path_factory: pytest.TempPathFactory, pack: Callable[[bytes], bytes], at: int
) -> None:
    data = pack(TEXT)
    path = tmp_path_factory.getbasetemp() / "cut"
    path.write_bytes(data[: 4 + at % (len(data) - 4)])
    found, error = until_damage(path)
    assert found == LINES[: len(found)]
    assert error.startswith(f"{path}:{len(found) + 1}: the ")
    assert error.endswith("data ends too early: the file is truncated")


@given(st.sampled_from([gzip.compress, zstd, bytes]), st.integers(0, 1 << 30), st.integers(1, 255))
def test_a_flipped_byte_never_is_anything_but_an_error_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, pack: Callable[[bytes], bytes], at: int, flip: int
) -> None:
    data = bytearray(pack(TEXT))
    data[at % len(data)] ^= flip
    path = tmp_path_factory.getbasetemp() / "flipped"
    path.write_bytes(data)
    _, error = until_damage(path)
    assert not error or error.startswith(f"{path}:")
    assert "\n" not in error


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(TEXT) + b"trailing rubbish", ":301: the gzip data is damaged (Error -3"),
        (zstd(TEXT) + b"trailing rubbish", ":301: the zstd data is damaged (zstd decompressor error"),
        (
            b"BZh91AY&SY",
            ":1: expected text, gzip or zstd, got bzip2; convert it first: bzcat FILE | stream-app replay -",
        ),
        (b"\xfd7zXZ\0", ":1: expected text, gzip or zstd, got xz; "),
        (b"PK\x03\x04....", ":1: expected text, gzip or zstd, got zip; "),
        (b"PAR1....", ":1: expected text, gzip or zstd, got Parquet; "),
        ("\ufeff{}\n".encode("utf-16-le"), ":1: expected UTF-8, got UTF-16; convert it: iconv"),
        ("\ufeff{}\n".encode("utf-16-be"), ":1: expected UTF-8, got UTF-16"),
    ],
)
def test_what_can_not_be_read_is_named_with_its_place(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(data)
    found, error = until_damage(path)
    assert error.startswith(f"{path}{said}")
    assert found == (LINES if ":301" in said else [])


def test_files_that_are_not_there_are_named_before_anything_is_done(tmp_path: Path) -> None:
    there, missing = tmp_path / "there", tmp_path / "missing"
    there.write_bytes(b"")
    readable([there, Path("-")])
    with pytest.raises(FileError, match=r"missing: No such file or directory$"):
        readable([there, missing])
    with pytest.raises(FileError, match=r"Is a directory$"):
        readable([there, tmp_path])


def test_a_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    """Piece by piece, each shorter than what tells a packed file; and nobody opens it before it is read."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    readable([path])
    data = gzip.compress(b'{"a":1}\n{"b":2}')

    def write() -> None:
        with path.open("wb", buffering=0) as pipe:
            for n in range(len(data)):
                pipe.write(data[n : n + 1])

    with ThreadPoolExecutor(1) as threads:
        written = threads.submit(write)
        assert records(path) == [(1, b'{"a":1}'), (2, b'{"b":2}')]
        written.result()


# --- which file it is ---


def mark(path: Path, data: bytes, layout: Layout | None = None) -> str:
    path.write_bytes(data)
    with RecordFile(path, layout or Layout()) as file:
        return str(file.partition)


def test_a_file_is_itself_however_packed_and_when_it_has_grown(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    name = mark(tmp_path / "calls.ndjson", TEXT)
    assert name.startswith("file:calls.ndjson.")
    assert mark(tmp_path / "b" / "calls.ndjson", TEXT + TEXT) == name
    assert mark(tmp_path / "calls.ndjson", LINES[0]) == name
    assert mark(tmp_path / "calls.ndjson", b"\xef\xbb\xbf\r\n" + LINES[0] + b"\r\n") == name
    assert mark(tmp_path / "calls.ndjson.gz", gzip.compress(TEXT)) == name
    assert mark(tmp_path / "calls.ndjson.zst", zstd(TEXT)) == name


def test_other_files_are_others(tmp_path: Path) -> None:
    names = [mark(tmp_path / "calls.ndjson", text) for text in (TEXT, TEXT[len(LINES[0]) + 1 :])]
    names += [mark(tmp_path / "chats.ndjson", TEXT)]
    head = b"id,type,at,contact_id\n"
    names += [mark(tmp_path / "calls.csv", head + row) for row in (b"1,a,2,c\n", b"2,a,2,c\n")]
    assert len(set(names)) == 5
    assert mark(tmp_path / "calls.csv", head + b"1,a,2,c\n3,4,5,6\n") == names[3]


def test_a_name_can_not_break_out_of_its_keys(tmp_path: Path) -> None:
    name = mark(tmp_path / "a}:meta{ \n.ndjson", TEXT)
    assert name.startswith("file:a__meta___.ndjson.")


# --- formats ---

HEADER = b"id,type,at,contact_id\n"


@pytest.mark.parametrize(
    ("layout", "first", "expected"),
    [
        (Layout(), b'{"id": 1}', "ndjson"),
        (Layout(), b"id;type;at;x", "csv"),
        (Layout(), b"not a header", "ndjson"),
        (Layout(), b'"unfinished', "ndjson"),
        (Layout(), b"\xff\xfe\xfd", "ndjson"),
        (Layout(columns=ColumnMap({"id": ("x",)})), b"anything", "csv"),
        (Layout(format="ndjson"), b"id,type,at", "ndjson"),
        (Layout(dialect="asterisk"), b"id,type,at", "queue_log"),
        (Layout(dialect="asterisk"), b'"ID";"Time_ID";"call_id";"verb"', "csv"),
        (Layout(dialect="amazon_connect"), b"id,type,at", "ndjson"),
        (Layout(dialect="amazon_connect", format="queue_log"), b"{}", "queue_log"),
    ],
)
def test_the_format_follows_from_the_dialect_and_the_first_line(
    layout: Layout, first: bytes, expected: str
) -> None:
    layout.check()
    assert layout.of(first) == expected


def test_what_contradicts_itself_is_refused() -> None:
    for wrong, option in (
        (Layout(columns=ColumnMap({"id": ("x",)}), format="ndjson"), "--map"),
        (Layout(dialect="asterisk", columns=ColumnMap({"id": ("x",)})), "--map"),
        (Layout(dialect="amazon_connect", format="csv"), "--dialect"),
    ):
        with pytest.raises(BadSettingsError, match=f"^{option}: "):
            wrong.check()


# --- tables ---

# Bare carriage returns need quotes, which not every version of the writer sets.
_CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=20).filter(
    lambda text: text == text.strip()
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["contact.queued", "contact.ended", "message.sent", "survey.answered"]))
    event: dict[str, Any] = {"id": draw(_CELLS), "type": kind, "contact_id": draw(_CELLS)}
    event["at"] = draw(st.sampled_from([T0, "2025-11-22T08:30:00.000Z"]))
    event |= FIELDS.get(kind, {})
    if draw(st.booleans()):
        event["queue"] = draw(_CELLS)
    if kind == "contact.ended" and draw(st.booleans()):
        event |= {"talk_s": draw(st.floats(0, 1000)), "hold_s": draw(st.integers(0, 99)), "visit": 7}
    if kind == "message.sent":
        event["bot"] = draw(st.booleans())
    return event


@given(
    st.lists(events(), max_size=8), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.booleans()
)
def test_a_table_tells_the_same_as_json(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    delimiter: str,
    end: str,
    everything: bool,
) -> None:
    fields = [
        "nobody's",
        "id",
        "type",
        "at",
        "contact_id",
        "queue",
        "talk_s",
        "hold_s",
        "visit",
        "bot",
        "kind",
    ]
    text = io.StringIO()
    table = csv.DictWriter(
        text,
        [*fields, "score"],
        delimiter=delimiter,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL,
    )
    table.writeheader()
    table.writerows(rows)
    path = tmp_path_factory.getbasetemp() / "table"
    path.write_bytes(text.getvalue().encode())
    found = [decode(value) for _, value in records(path)]
    assert found == [decode(json.dumps(row).encode()) for row in rows]


def table(tmp_path: Path, text: str | bytes, *maps: str) -> list[tuple[int, bytes]]:
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return records(path, Layout(format="csv", columns=recorded_map(maps)))


def test_columns_are_mapped_and_constants_fill_in(tmp_path: Path) -> None:
    file = tmp_path / "map.toml"
    file.write_text('contact_id = "Call ID"\nchannel = "=chat"\nbot = "=yes"\n')
    maps = (
        "id=Row",
        "at=When (UTC)",
        "queue=Q=1",
        str(file),
        "channel==email",
        "type==message.sent",
        "visit==3",
    )
    text = '\ufeffRow,"When (UTC)",Q=1,Call ID,type\n\n1,1763800200000,sales,c-1,ignored\n2,1763800200001,,c-2,\n'
    found = table(tmp_path, text, *maps)
    assert [number for number, _ in found] == [3, 4]
    assert [json.loads(value) for _, value in found] == [
        {"channel": "email", "bot": True, "type": "message.sent", "visit": 3, "id": "1", "at": T0}
        | {"queue": "sales", "contact_id": "c-1"},
        {"channel": "email", "bot": True, "type": "message.sent", "visit": 3, "id": "2", "at": T0 + 1}
        | {"contact_id": "c-2"},
    ]


BAD_ROWS = {
    "too many cells": ("1,t,2,c,5", "invalid: the row has 5 cells, but the header has 4"),
    "text behind a quote": ('"1"x,t,2,c', "invalid: malformed CSV: ',' expected after '\"'"),
    "too few": ("1", "invalid: "),
    "no number": ("1,contact.queued,x,c", "invalid: "),
    "too long": (
        "1,t,2," + "c" * 70_000,
        "too_large: the row has more than 65536 bytes; is a closing quote missing?",
    ),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_row_that_is_no_event_is_a_dead_letter_and_its_neighbours_are_read(
    tmp_path: Path, name: str
) -> None:
    bad, said = BAD_ROWS[name]
    good = "7,contact.ended,1763800200000,c-1"
    found = table(tmp_path, f"id,type,at,contact_id\n{good}\n{bad}\n{good}")
    assert [number for number, _ in found] == [2, 3, 4]
    assert decode(found[0][1]) == decode(found[2][1])
    assert str(refusal(found[1][1])).startswith(said)


def test_a_cell_that_is_no_utf_8_is_one_bad_row(tmp_path: Path) -> None:
    found = table(
        tmp_path, HEADER + b"1,contact.ended,1763800200000,caf\xe9\n2,contact.ended,1763800200000,c\n"
    )
    assert str(refusal(found[0][1])) == "bad_utf8: a cell is not UTF-8"
    assert found[0][1].startswith(b"1,contact.ended")
    assert len(decode(found[1][1])) == 1


def test_a_quote_that_is_never_closed_costs_no_more_than_one_row_may_have(tmp_path: Path) -> None:
    good = b"7,contact.ended,1763800200000,c-1\n"
    found = table(tmp_path, HEADER + good + b'8,"contact' + good * 3_000)
    bad = [(number, refusal(value)) for number, value in found if isinstance(value, RefusedLine)]
    last = 3 + 65_536 // len(good.rstrip())
    assert [number for number, _ in bad] == [3]
    assert str(bad[0][1]).startswith(f"too_large: the row has more than 65536 bytes in lines 3 to {last};")
    assert [number for number, _ in found] == [2, 3, *range(last + 1, 3_003)]
    ends = table(tmp_path, HEADER + good + b'8,"contact\n' + good)
    assert str(refusal(ends[1][1])) == "invalid: malformed CSV in lines 3 to 4: unexpected end of data"


def test_a_cell_may_hold_lines_and_empty_rows_are_none(tmp_path: Path) -> None:
    found = table(tmp_path, HEADER + b'1,contact.ended,1763800200000,"a\nb"\n,,,\n\n2,x,3,c\n')
    assert [(number, json.loads(value)["contact_id"]) for number, value in found] == [(2, "a\nb"), (6, "c")]


@pytest.mark.parametrize(
    ("text", "maps", "said"),
    [
        (b"a,b\n1,2\n", ["id=c"], r"t\.csv:1: the header lacks the column 'c'; its columns are 'a', 'b'$"),
        (b"\n\na,a\n1,2\n", ["id=a"], r"t\.csv:3: the header has the column 'a' 2 times"),
        (b'"a,b\n', [], r"t\.csv:1: expected the header of a CSV file"),
        (b"\xff,b\n", [], r"t\.csv:1: expected the header of a CSV file"),
    ],
)
def test_a_header_that_does_not_fit_is_named(
    tmp_path: Path, text: bytes, maps: Iterable[str], said: str
) -> None:
    with pytest.raises(FileError, match=said):
        table(tmp_path, text, *maps)


def test_a_table_of_nothing_is_empty(tmp_path: Path) -> None:
    assert table(tmp_path, b"") == []
    assert table(tmp_path, HEADER) == []
    assert table(tmp_path, HEADER.rstrip()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("contact_idd=Call", r"^--map: unknown field 'contact_idd'; did you mean 'contact_id'\?$"),
        ("id=", r"^--map: expected FIELD=COLUMN, separated by commas, got 'id='$"),
        ("nowhere.toml", r"^--map: nowhere\.toml: No such file or directory; use FIELD=COLUMN"),
    ],
)
def test_a_wrong_map_is_named(text: str, said: str) -> None:
    with pytest.raises(BadSettingsError, match=said):
        recorded_map([text])


def test_a_map_s_file_is_checked_too(tmp_path: Path) -> None:
    file = tmp_path / "map.toml"
    for text, said in (("id = 3", "id has no column"), ("id =", "map.toml: Invalid value")):
        file.write_text(text)
        with pytest.raises(BadSettingsError, match=said):
            recorded_map([str(file)])


def test_a_field_of_lists_of_contacts_is_not_one_of_events(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="--map talk_min: events have no such field"):
        table(tmp_path, "id,type,at,t\n1,x,2,3\n", "talk_min=t")
    assert {"id", "at", "talk_s"} <= event_fields()
