"""Every dialect reads its gallery as the gallery says, whole, cut short, and with a stranger in any field."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st
from msgspec import structs

from stream_app.errors import UnknownTypeError, UnreadableError
from stream_app.ingest import dialects
from stream_app.ingest.dialects import amazon_connect, asterisk
from stream_app.model.events import TYPES, ContactEvent, Event, Queued
from tests.ingest.test_dialects import check, load

from .gallery import Case, encode, gallery, path_of

PAGE = Path(__file__).parents[3] / "docs" / "dialects.md"

CASES = [(name, case) for name in dialects.available() for case in gallery(name)]
every_case = pytest.mark.parametrize(("dialect", "case"), CASES, ids=[f"{d}: {c.name}" for d, c in CASES])
every_dialect = pytest.mark.parametrize("dialect", dialects.available())


def decoded(dialect: str, case: Case) -> Sequence[Event]:
    return load(dialect)(case.value, case.headers)


def outcome(dialect: str, case: Case) -> Sequence[Event] | str:
    try:
        return decoded(dialect, case)
    except UnreadableError as error:
        return error.reason
    except UnknownTypeError:
        return "unknown_type"


@every_dialect
def test_every_dialect_has_a_gallery_and_a_part_of_the_page(dialect: str) -> None:
    assert path_of(dialect).exists(), (
        f"write {path_of(dialect).name}: records, and the events or the error of each"
    )
    assert len(gallery(dialect)) >= 3
    assert any(case.error for case in gallery(dialect)), "and a record that is refused"
    assert f"`{dialect}`" in PAGE.read_text(encoding="utf-8"), f"docs/dialects.md says nothing of `{dialect}`"


@every_case
def test_each_case_becomes_what_it_says(dialect: str, case: Case) -> None:
    found = outcome(dialect, case)
    if case.events is None:
        assert found == case.error
        return
    assert not isinstance(found, str), found
    assert len(found) == len(case.events)
    for event, expected in zip(found, case.events, strict=True):
        fields = {"id": event.id, **expected}
        if dialect == "asterisk" and "beginning" in fields:
            # A digest: tests/ingest/dialects/test_asterisk.py says of what.
            fields["beginning"] = {"id": event.beginning.id, "exact": True, **fields["beginning"]}  # type: ignore[attr-defined]
        assert event == msgspec.convert(fields, TYPES[expected["type"]])


@every_case
def test_a_record_that_comes_again_gives_the_same_events(dialect: str, case: Case) -> None:
    again = outcome(dialect, case)
    assert outcome(dialect, case) == again
    check(dialect, case.value)


@every_dialect
def test_each_case_cut_short_at_each_byte(dialect: str) -> None:
    for case in gallery(dialect):
        for end in range(len(case.value)):
            found = check(dialect, case.value[:end])
            if case.value.startswith(b"{"):
                assert isinstance(found, UnreadableError)


# --- every documented type is there ---

QUEUE_LOG = [
    *("CALLSTATUS", "INFO", "OUTCALL", "PENALTY", "RINGINUSE", "WITHDRAW"),
    *("CALLOUTBOUND", "DIALRESULT", "ANSWER", "NOANSWER", "BUSY", "CANCEL", "CONGESTION", "CHANUNAVAIL"),
    "ABANDON",
    "ADDMEMBER",
    "AGENTDUMP",
    "AGENTLOGIN",
    "AGENTCALLBACKLOGIN",
    "AGENTLOGOFF",
    "AGENTCALLBACKLOGOFF",
    "ATTENDEDTRANSFER",
    "BLINDTRANSFER",
    "COMPLETEAGENT",
    "COMPLETECALLER",
    "CONFIGRELOAD",
    "CONNECT",
    "DID",
    "ENTERQUEUE",
    "EXITEMPTY",
    "EXITWITHKEY",
    "EXITWITHTIMEOUT",
    "PAUSE",
    "PAUSEALL",
    "UNPAUSE",
    "UNPAUSEALL",
    "QUEUESTART",
    "REMOVEMEMBER",
    "RINGNOANSWER",
    "RINGCANCELED",
    "SYSCOMPAT",
    "TRANSFER",
    "FULL",
    "CLOSED",
    "JOINEMPTY",
    "LEAVEEMPTY",
    "DIVERT_CA_RATIO",
    "DIVERT_HOLDTIME",
    "WRAPUPSTART",
]
CONTACT_EVENTS = [
    "INITIATED",
    "CONNECTED_TO_SYSTEM",
    "CONTACT_DATA_UPDATED",
    "QUEUED",
    "CONNECTED_TO_AGENT",
    "DISCONNECTED",
    "PAUSED",
    "RESUMED",
    "COMPLETED",
    "AMD_DISABLED",
    "WEBRTC_API",
]
AGENT_EVENTS = ["LOGIN", "LOGOUT", "STATE_CHANGE", "HEART_BEAT"]
CONTACT_STATES = ["CONNECTING", "CONNECTED", "CONNECTED_ONHOLD", "MISSED", "REJECTED", "ERROR", "ENDED"]


@pytest.mark.parametrize("documented", QUEUE_LOG)
def test_every_event_of_the_queue_log_is_in_the_gallery(documented: str) -> None:
    of_it = [c for c in gallery("asterisk") if f"|{documented}".encode() in c.value and c.error is None]
    assert of_it
    assert documented in asterisk.EVENTS or documented.startswith("DIVERT_")


def test_the_queue_log_has_no_event_without_a_case() -> None:
    assert set(asterisk.EVENTS) <= set(QUEUE_LOG)


@pytest.mark.parametrize("documented", [*CONTACT_EVENTS, *AGENT_EVENTS, *CONTACT_STATES])
def test_every_event_of_connect_is_in_the_gallery(documented: str) -> None:
    values = [case.value for case in gallery("amazon_connect") if case.error is None]
    assert any(f'"{documented}"'.encode() in value for value in values)


def test_connect_has_no_contact_event_without_a_case() -> None:
    assert set(CONTACT_EVENTS) == set(amazon_connect.TOLD) | amazon_connect.SILENT


@pytest.mark.parametrize("documented", [*QUEUE_LOG, *CONTACT_EVENTS, *AGENT_EVENTS])
def test_the_page_says_what_becomes_of_every_type(documented: str) -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    if documented.startswith("DIVERT_"):
        documented = "DIVERT_…"
    assert any(f"`{documented}`" in row for row in rows)


# --- ids ---


def test_a_contact_event_and_a_contact_record_tell_the_same_facts_under_the_same_ids() -> None:
    by_name = {
        case.name: decoded("amazon_connect", case) for case in gallery("amazon_connect") if not case.error
    }
    told = [by_name[name][0] for name in ("queued", "answered", "ended", "completed")]
    recorded = by_name["record: answered"]
    assert [(type(event), event.id) for event in told] == [(type(event), event.id) for event in recorded]
    assert by_name["abandoned"][0].id == by_name["record: abandoned"][1].id
    # However a wait or a conversation ends, it ends once.
    assert by_name["abandoned"][0].id == by_name["a callback is wanted"][0].id
    assert by_name["ended"][0].id == by_name["record: transferred"][2].id


def test_a_line_and_its_row_in_the_database_are_one_record() -> None:
    (line,) = (c for c in gallery("asterisk") if c.name == "attended transfer, bridges linked")
    (row,) = (c for c in gallery("asterisk") if c.name == "attended transfer, bridges linked, as a row")
    assert decoded("asterisk", line) == decoded("asterisk", row)


def test_lines_that_differ_anywhere_have_different_ids() -> None:
    line = "1795334400|c|q|SIP/1|COMPLETEAGENT|12|180|1"
    fields = line.split("|")
    others = [
        "|".join([*fields[:n], "9" + field, *fields[n + 1 :]]) for n, field in enumerate(fields) if n != 4
    ]
    others[0] = line.replace("1795334400", "1795334401")
    seen = {event.id for text in (line, *others) for event in asterisk.decode(text.encode())}
    assert len(seen) == 2 * (1 + len(others))


def test_what_a_record_tells_of_an_end_does_not_begin_a_visit() -> None:
    """Without its queue it can't: a record that comes again finds its contact gone."""
    for case in gallery("amazon_connect"):
        if case.name.startswith("record: ") and case.events:
            first, *others = decoded("amazon_connect", case)
            assert isinstance(first, Queued)
            assert all(event.queue is None for event in others if isinstance(event, ContactEvent))


# --- what platforms change without notice ---


def respelt(raw: Any, rng: Random) -> Any:
    """The same with its keys in any case, and with fields that nobody has heard of."""
    if isinstance(raw, list):
        return [respelt(item, rng) for item in raw]
    if not isinstance(raw, dict):
        return raw
    out = {
        "".join(rng.choice((c.lower(), c.upper())) for c in key): respelt(v, rng) for key, v in raw.items()
    }
    return {"newlyAdded": {"a": [1, None]}, **out, "alsoNew": rng.random()}


@pytest.mark.parametrize("dialect", ["amazon_connect", "asterisk"])
@given(seed=st.integers(0, 2**32))
def test_the_case_of_keys_and_new_fields_change_nothing(dialect: str, seed: int) -> None:
    rng = Random(seed)
    case = rng.choice([case for case in gallery(dialect) if isinstance(case.raw, dict)])
    other = structs.replace(case, value=encode(respelt(case.raw, rng)))
    assert outcome(dialect, other) == outcome(dialect, case)


_durations = st.sampled_from(["", "0", "7", "7.5", "-1", "x", "1e3", "٣", "31536001", " 5 "])


@given(
    name=st.sampled_from(sorted(asterisk.EVENTS)),
    at=st.integers(946_684_800, 4_102_444_799),
    micros=st.integers(0, 999_999),
    data=st.lists(_durations, max_size=5),
    link=st.booleans(),
)
def test_a_line_and_a_row_say_the_same(name: str, at: int, micros: int, data: list[str], link: bool) -> None:
    if link:
        data = ["LINK", *data][:5]
    line = f"{at}.{micros:06}|c|q|SIP/1|{name}|{'|'.join(data)}".encode()
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{micros:06}"
    row = {"time": moment, "callid": "c", "queuename": "q", "agent": "SIP/1", "event": name}
    row |= {f"data{n}": field for n, field in enumerate(data, 1)}
    found = asterisk.decode(line)
    assert found == asterisk.decode(encode(row))
    for event in found:
        stated = [getattr(event, f"{n}_s", None) for n in ("wait", "talk", "wrap")]
        assert all(s is None or s in (0, 5, 7, 7.5) for s in stated)


# --- nobody's data ---

_CANARY = "+49-170-CANARY"


def strangers(raw: Any) -> Iterator[Any]:
    """The sample with each of its leaves, or fields of a line, replaced by a customer's number, plain and too long."""
    if isinstance(raw, str):
        fields = raw.split("|")
        for n in range(len(fields)):
            for wrong in (_CANARY, _CANARY * 30):
                yield "|".join([*fields[:n], wrong, *fields[n + 1 :]])
        return
    for path in paths(raw):
        wrongs: list[Any] = [_CANARY, _CANARY * 30, {_CANARY: _CANARY}, [_CANARY]]
        for wrong in wrongs:
            changed = deepcopy(raw)
            inner: Any = changed
            for step in path[:-1]:
                inner = inner[step]
            inner[path[-1]] = wrong
            yield changed


def paths(raw: Any) -> Iterator[tuple[Any, ...]]:
    inner = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for step, value in inner:
        yield (step,)
        for rest in paths(value):
            yield (step, *rest)


@every_dialect
def test_what_is_said_of_a_bad_record_never_holds_what_stood_in_it(dialect: str) -> None:
    refused = 0
    for case in gallery(dialect):
        for raw in strangers(case.raw):
            found = check(dialect, encode(raw))
            if isinstance(found, UnreadableError):
                refused += 1
                assert "CANARY" not in str(found)
    assert refused > 20


def test_no_person_and_no_number_gets_into_an_event() -> None:
    for dialect, case in CASES:
        if case.events and dialect != "canonical":
            said = repr(decoded(dialect, case))
            assert not [word for word in ("jane", "Jane", "Doe", "5550100", "5550199") if word in said]
