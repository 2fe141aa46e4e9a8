"""Steps from one manifest to the next, and what is in its JSON."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given, strategies as st

from stream_app.errors import StreamAppError
from stream_app.ledger import manifest as m
from stream_app.ledger.manifest import Dropped, Hole, Manifest, RowsFile, StepBack

TOPICS = st.sampled_from(("", "t1", "t2"))
OFFSETS = st.integers(0, 60)


@st.composite
def files(draw: st.DrawFn) -> tuple[RowsFile, ...]:
    found = []
    for n in range(draw(st.integers(0, 8))):
        first = draw(OFFSETS)
        last = first + draw(st.integers(0, 20))
        found.append(RowsFile(f"{n}", "visits", "2026-11-22", draw(TOPICS), first, last, 1, 10, 0, 1))
    return tuple(found)


MANIFESTS = st.builds(
    Manifest,
    number=st.integers(0, 9),
    ends=st.dictionaries(TOPICS, OFFSETS),
    files=files(),
    holes=st.lists(
        st.builds(
            lambda topic, begin, size: Hole(topic, begin, begin + size, 0, 1),
            TOPICS,
            OFFSETS,
            st.integers(1, 9),
        )
    ).map(tuple),
)


@given(MANIFESTS)
def test_a_manifest_is_what_was_stored(manifest: Manifest) -> None:
    assert m.unpack(m.pack(manifest), "x") == manifest


@given(MANIFESTS, TOPICS, OFFSETS)
def test_a_cut_leaves_what_is_before_it_and_what_is_of_another_topic(
    manifest: Manifest, topic_id: str, offset: int
) -> None:
    straddling = m.straddling(manifest, topic_id, offset)
    cut = m.cut(manifest, topic_id, offset, 7)
    for file in manifest.files:
        ours = file.topic_id == topic_id or not topic_id or not file.topic_id
        stays = not ours or file.last < offset
        assert (file in cut.files) == stays
        assert (Dropped(file.name, 7) in cut.dropped) == (not stays)
        assert (file in straddling) == (ours and file.first < offset <= file.last)
    for hole in cut.holes:
        assert hole.begin < hole.end
        assert not m.same_topic(hole.topic_id, topic_id) or hole.end <= offset
    if topic_id in manifest.ends:
        assert cut.ends[topic_id] == min(manifest.ends[topic_id], offset)
    assert cut.cuts[-1].offset == offset


def test_old_cuts_are_forgotten() -> None:
    manifest = Manifest()
    for n in range(m.CUTS + 5):
        manifest = m.cut(manifest, "t1", n, n)
    assert [cut.offset for cut in manifest.cuts] == [*range(5, m.CUTS + 5)]


@given(st.lists(st.binary(min_size=m.DIGEST, max_size=m.DIGEST)))
def test_digests_are_what_was_stored(digests: list[bytes]) -> None:
    assert Manifest(taken=m.pack_digests(digests)).digests == {*digests}


NO_MANIFESTS = [b"[]", b"{", b'{"number": "one"}', b'{"files": [{"name": 1}]}']


@pytest.mark.parametrize(
    "packed", [b"", b"{}", m.pack(Manifest())[:-9], *(gzip.compress(text, mtime=0) for text in NO_MANIFESTS)]
)
def test_what_is_no_manifest_is_named(packed: bytes) -> None:
    with pytest.raises(StreamAppError, match=r"manifests/1\.json is not a manifest"):
        m.unpack(packed, "manifests/1.json")


def test_the_stored_form_stays_as_it_is() -> None:
    """Other programs read it, and so do later versions."""
    manifest = Manifest(
        number=2,
        writer="w",
        at=5,
        filed_at=5,
        time=4,
        topic_id="t",
        ends={"t": 30},
        files=(RowsFile("visits/a", "visits", "2026-11-22", "t", 0, 9, 3, 100, 1, 2),),
        holes=(Hole("t", 10, 20, 3, 4),),
        cuts=(StepBack("t", 20, 25, 5),),
        dropped=(Dropped("visits/b", 5),),
        taken="AAECAwQFBgc=",
        forgotten=1,
    )
    assert json.loads(gzip.decompress(m.pack(manifest))) == {
        "number": 2,
        "writer": "w",
        "at": 5,
        "filed_at": 5,
        "time": 4,
        "topic_id": "t",
        "ends": {"t": 30},
        "files": [
            {
                "name": "visits/a",
                "table": "visits",
                "day": "2026-11-22",
                "topic_id": "t",
                "first": 0,
                "last": 9,
                "rows": 3,
                "size": 100,
                "since": 1,
                "until": 2,
            }
        ],
        "holes": [{"topic_id": "t", "begin": 10, "end": 20, "since": 3, "until": 4}],
        "cuts": [{"topic_id": "t", "offset": 20, "end": 25, "at": 5}],
        "dropped": [{"name": "visits/b", "at": 5}],
        "taken": "AAECAwQFBgc=",
        "forgotten": 1,
    }
