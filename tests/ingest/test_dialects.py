"""Every dialect: any bytes give events, or say that they are none, and never anything else."""

import json
from base64 import b64encode
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from stream_app.errors import BadSettingsError, UnknownTypeError, UnreadableError
from stream_app.ingest import dialects
from stream_app.ingest.dialects import canonical
from stream_app.model.events import EARLIEST_MS, LATEST_MS, TYPES, Event, type_name
from tests.model.streams import FIELDS, T0
from tests.reference import checks, poison, records

from .dialects.gallery import gallery

REASONS = {"bad_utf8", "not_json", "too_deep", "invalid"}
load = cache(dialects.load)
every_dialect = pytest.mark.parametrize("name", dialects.available())


def check(name: str, value: bytes) -> Sequence[Event] | UnreadableError | UnknownTypeError:
    """Decode; the only two errors are given back, and what is given is complete."""
    found = _decoded(name, value)
    if isinstance(found, UnknownTypeError):
        return found
    if isinstance(found, UnreadableError):
        assert found.reason in REASONS
        assert "\n" not in found.detail
        return found
    events = found
    # Not a generator: it would raise behind events that were folded already.
    assert isinstance(events, Sequence)
    assert events or name != "canonical", "our own records tell one event each"
    assert len({event.id for event in events}) == len(events)
    for event in events:
        assert type(event) in TYPES.values()
        assert type(event.at) is int
        assert EARLIEST_MS <= event.at <= LATEST_MS
        event.id.encode()
    return events


def _decoded(name: str, value: bytes) -> Any:
    try:
        return load(name)(value)
    except (UnreadableError, UnknownTypeError) as error:
        return error


def minimal(kind: str, **more: Any) -> dict[str, Any]:
    """The least that an event of a type must say."""
    event = {"id": "1", "type": kind, "at": T0} | FIELDS.get(kind, {}) | more
    return (
        event
        if kind.startswith(("case", "customer", "agent.s", "platform", "training"))
        else {"contact_id": "c", **event}
    )


def encode(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def test_there_is_our_own_and_no_other_by_a_wrong_name() -> None:
    assert "canonical" in dialects.available()
    for wrong in ("klingon", "", "__init__", "_reading", "../canonical", "canonical.py"):
        with pytest.raises(BadSettingsError, match=r"STREAM_APP_DIALECT.*canonical"):
            dialects.load(wrong)


# --- any bytes ---

_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
_cuts = st.tuples(st.floats(0, 1), st.binary(max_size=3), st.integers(0, 5))


def damaged(value: bytes, cuts: list[tuple[float, bytes, int]]) -> bytes:
    for share, inserted, removed in cuts:
        at = int(share * len(value))
        value = value[:at] + inserted + value[at + removed :]
    return value


@every_dialect
@given(value=st.binary(max_size=400))
def test_any_bytes(name: str, value: bytes) -> None:
    check(name, value)


@every_dialect
@given(value=_json)
def test_any_json(name: str, value: Any) -> None:
    check(name, json.dumps(value).encode())


@pytest.mark.slow
@every_dialect
@settings(max_examples=300)
@given(kind=st.sampled_from(sorted(TYPES)), cuts=st.lists(_cuts, min_size=1, max_size=4))
def test_damaged_events(name: str, kind: str, cuts: list[tuple[float, bytes, int]]) -> None:
    check(name, damaged(encode(minimal(kind, queue="café")), cuts))


@pytest.mark.slow
@every_dialect
@settings(max_examples=300)
@given(data=st.data())
def test_damaged_samples(name: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(gallery(name)))
    check(name, damaged(case.value, data.draw(st.lists(_cuts, min_size=1, max_size=4))))


@every_dialect
@pytest.mark.parametrize("bad", poison.GALLERY, ids=lambda bad: bad.name)
def test_poison(name: str, bad: poison.Poison) -> None:
    found = check(name, bad.value)
    # Whoever reads records measures them before; a dialect need not.
    assert bad.reason == "too_large" or not isinstance(found, Sequence)
    if name == "canonical" and bad.reason in REASONS:
        assert isinstance(found, UnreadableError)
        assert found.reason == bad.reason


@every_dialect
@pytest.mark.parametrize("levels", [90, 500, 900, 940, 980, 990, 995, 1000, 1005, 1100, 100_000])
def test_any_depth(name: str, levels: int) -> None:
    sample = next(case.value for case in gallery(name) if case.events and case.value.startswith(b"{"))
    found = check(name, sample[:-1] + b', "deep": ' + b"[" * levels + b"]" * levels + b"}")
    assert isinstance(found, Sequence) or (isinstance(found, UnreadableError) and found.reason == "too_deep")
    if levels <= 100:
        assert isinstance(found, Sequence)
        assert found


# --- our own vocabulary ---


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_parses_from_the_least_that_it_must_say(kind: str) -> None:
    (event,) = canonical.decode(encode(minimal(kind)))
    assert type_name(event) == kind
    (again,) = canonical.decode(encode(minimal(kind, nobody="reads this", at="2025-11-22T08:30:00.000Z")))
    assert again == event
    for missing in minimal(kind):
        with pytest.raises(UnreadableError):
            canonical.decode(encode({k: v for k, v in minimal(kind).items() if k != missing}))


@pytest.mark.parametrize("kind", TYPES)
def test_null_counts_as_absent_in_every_field_that_may_be_left_out(kind: str) -> None:
    """Whoever serialises objects field by field sends them."""
    nulls = {field: None for field in TYPES[kind].__struct_fields__ if field not in minimal(kind)}
    assert canonical.decode(encode({**minimal(kind), **nulls})) == canonical.decode(encode(minimal(kind)))
    for required in minimal(kind):
        with pytest.raises(UnreadableError, match="invalid"):
            canonical.decode(encode({**minimal(kind), required: None}))


@pytest.mark.parametrize("kind", TYPES)
@given(data=st.data())
def test_an_envelope_changes_nothing(kind: str, data: st.DataObject) -> None:
    """CloudEvents: structured, in base64 and in headers; what the data says of the envelope's matters is not read."""
    event = minimal(
        kind, at=data.draw(st.sampled_from(["2025-11-22T08:26:40.123Z", "2025-11-22T09:26:40+01:00"]))
    )
    expected = canonical.decode(encode(event))
    envelope = {
        "specversion": "1.0",
        "id": event.pop("id"),
        "type": event.pop("type"),
        "time": event.pop("at"),
    }
    if "contact_id" in event and data.draw(st.booleans()):
        envelope["subject"] = event.pop("contact_id")
    for name, wrong in (("id", "other"), ("type", "nonsense"), ("at", 5)):
        if data.draw(st.booleans()):
            event[name] = wrong
    encoded = b64encode(encode(event)).decode()
    headers = [(f"ce_{name}", value.encode()) for name, value in envelope.items()]
    assert canonical.decode(encode({**envelope, "data": event})) == expected
    assert canonical.decode(encode({**envelope, "data": None, "data_base64": encoded})) == expected
    assert canonical.decode(encode(event), [*headers, ("traceparent", b"\xff")]) == expected


@pytest.mark.parametrize(
    "at",
    [
        "2025-11-22T08:26:40",
        "2025-11-22T08:26:40.123",
        "2025-11-22",
        "1763800000",
        1_763_800_000,
        1_763_800_000.5,
        1_763_800_000_123_456,
        EARLIEST_MS - 1,
        LATEST_MS + 1,
        "1999-12-31T23:59:59.999Z",
        "2100-01-01T00:00:00.001Z",
        "2025-11-22T08:26:60Z",
        "2025-11-22T24:00:00Z",
        -1,
        0,
        True,
        [],
        "",
    ],
)
def test_a_time_without_offset_or_in_another_unit_is_refused(at: Any) -> None:
    with pytest.raises(UnreadableError, match="invalid"):
        canonical.decode(encode(minimal("contact.queued", at=at)))


@pytest.mark.parametrize("number", [-1, 2**63, 2**64, 2**70, 1.5, "1", True])
def test_a_visit_number_that_could_not_be_stored_is_refused(number: Any) -> None:
    with pytest.raises(UnreadableError, match="invalid"):
        canonical.decode(encode(minimal("contact.queued", visit=number)))


@pytest.mark.parametrize("number", [-(2**63) - 1, 2**63, 2**64, 10**30, 1.5])
@pytest.mark.parametrize(("kind", "field"), [("case.escalated", "tier"), ("contact.queued", "priority")])
def test_a_whole_number_that_could_not_be_stored_is_refused(kind: str, field: str, number: Any) -> None:
    with pytest.raises(UnreadableError, match="invalid"):
        canonical.decode(encode(minimal(kind, **{field: number})))
    for most in (-(2**63), 2**63 - 1):
        (event,) = canonical.decode(encode(minimal(kind, **{field: most})))
        assert getattr(event, field) == most


@pytest.mark.parametrize(
    ("field", "most"), [("purchase_value", 100_000_000), ("purchases_per_year", 50_000), ("years", 100)]
)
def test_what_a_customer_is_worth_has_bounds(field: str, most: int) -> None:
    for good in (0, most / 3, most):
        assert canonical.decode(encode(minimal("customer.valued", **{field: good})))
    for wrong, expected in ((-0.01, ">= 0"), (most + 0.01, f"<= {most}"), (1e300, f"<= {most}")):
        with pytest.raises(UnreadableError, match=rf"{expected}.*at `\$\.{field}`"):
            canonical.decode(encode(minimal("customer.valued", **{field: wrong})))


_CANARY = "+49-170-CANARY"


@pytest.mark.parametrize("kind", TYPES)
def test_what_is_said_of_a_bad_event_never_holds_what_stood_in_it(kind: str) -> None:
    """I10: details go to dead letters' headers and to logs; a customer's number must not."""
    for field in TYPES[kind].__struct_fields__:
        for wrong in (_CANARY, _CANARY * 30, [_CANARY], {_CANARY: 1}):
            found = check("canonical", encode({**minimal(kind), field: wrong}))
            assert isinstance(found, (Sequence, UnknownTypeError)) or "CANARY" not in str(found)


# --- and as the independent reading has it ---

_LONG = [31_536_000, 31_536_000.5, 10**400]
_VALUES: dict[str, list[Any]] = {
    "id": ["x", "", None, 7, "i" * 128, "i" * 129, "é" * 128, [], "\0"],
    "type": ["contact.queued", "contact.Queued", None, 5, "", {}],
    "at": [T0, None, 1.5, 1_763_800_000, "2025-11-22T08:26:40.1239999999Z", "2025-11-22t08:26:40z"],
    "contact_id": ["x", "", None, 7, "c" * 128, "c" * 129],
    "queue": ["x", "", None, 7, "q" * 256, "q" * 257, "ü" * 256],
    "channel": ["chat", "", None, 7, "v" * 256, "v" * 257],
    "agent": ["a", "", None, 7, "a" * 129],
    "visit": [1, 0, None, "1", True, 1.0, -1, 2**63 - 1, 2**63, 10**30],
    "bot": [True, None, 0, "true"],
    "priority": [1, "vip", "", None, True, 1.5, 2**63 - 1, 2**63, -(2**63), 10**30, "p" * 257],
    "extra": [None, 10**400, 1e300, "x", [[]], {"a": {}}],
    **{
        key: [0, 1.5, None, -1, -0.0, 31536000, 31536000.5, "1", True, 10**400]
        for key in ("wait_s", "talk_s", "hold_s", "wrap_s")
    },
}
_CONTACT_TYPES = sorted(records.VISIT_EVENTS | records.QUEUE_EVENTS)


@st.composite
def odd_events(draw: st.DrawFn) -> dict[str, Any]:
    event = minimal(draw(st.sampled_from(_CONTACT_TYPES)))
    for field in draw(st.lists(st.sampled_from(sorted(_VALUES)), max_size=3, unique=True)):
        event[field] = deepcopy(draw(st.sampled_from(_VALUES[field])))
    for field in draw(st.lists(st.sampled_from(sorted(event)), max_size=1)):
        del event[field]
    return event


_STAMP = "{}-{}-{}T{}:{}:{}{}{}"
_two = st.integers(0, 99).map("{:02}".format)
stamps = st.builds(
    _STAMP.format,
    *(st.sampled_from(["2025", "2024", "1999", "0001", "9999"]), _two, _two, _two, _two, _two),
    st.one_of(st.just(""), st.integers(0, 10**12).map(".{}".format), st.just(".")),
    # Not "+0530": the decoder reads it, the page does not promise it.
    st.sampled_from(["Z", "z", "", "+00:00", "-23:59", "+05:30", "+24:00", "-01"]),
)


def outcome(value: bytes) -> tuple[str, Any]:
    found = check("canonical", value)
    if isinstance(found, UnreadableError):
        return "dead_letter", found.reason
    if isinstance(found, UnknownTypeError):
        return "unknown_type", ""
    event: Any = found[0]
    stated = {n: getattr(event, f"{n}_s", None) for n in ("wait", "talk", "hold", "wrap")}
    return "event", (
        *(event.id, type_name(event), event.at, event.contact_id, event.queue or "", event.agent or ""),
        *(event.visit, {n: round(s * 1000) for n, s in stated.items() if s is not None}),
    )


def expected(value: bytes) -> tuple[str, Any]:
    found = records.read(value)
    if isinstance(found, checks.Refusal):
        return found
    return "event", (
        *(found.id, found.type, found.at, found.contact, found.queue, found.agent, found.visit, found.stated),
    )


@settings(max_examples=500)
@given(odd_events())
def test_odd_events_end_as_the_page_says(event: dict[str, Any]) -> None:
    value = encode(event)
    assert outcome(value) == expected(value)


@settings(max_examples=300)
@given(stamps)
def test_stamps_are_read_as_the_page_says(stamp: str) -> None:
    value = encode(minimal("contact.queued", at=stamp))
    assert outcome(value) == expected(value)


@given(st.text(max_size=70))
def test_any_text_is_kept_as_it_is(text: str) -> None:
    value = json.dumps(minimal("contact.queued", queue=text)).encode()  # escaped
    assert outcome(value) == expected(value)


@pytest.mark.parametrize("escape", ["\\ud800", "\\ud800\\u0041", "\\udc00", "\\ud83d\\ude00", "\\u0000"])
@pytest.mark.parametrize("field", ["queue", "nobody_reads_this"])
def test_escapes(field: str, escape: str) -> None:
    value = encode(minimal("contact.queued", **{field: "@"})).replace(b"@", escape.encode())
    assert outcome(value) == expected(value)
