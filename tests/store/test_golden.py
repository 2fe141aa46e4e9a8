"""Bytes that were stored once mean the same for ever, and are written as they were.

An expected value that has to change here is data of installations that can't be read any more: append, or write a migration.
"""

import msgspec

from stream_app.model.events import ContactInHand
from stream_app.model.fold.cells import pack_cell, unpack_cell
from stream_app.model.fold.clock import Agreement
from stream_app.model.fold.visit import Visit, VisitNotes, VisitState
from stream_app.model.intervals.columns import COLUMNS, FLOW, FREE, MINUTES
from stream_app.model.intervals.counting import compact
from stream_app.model.intervals.day import Kept, PublishedDay
from stream_app.model.intervals.row import flows_of, row_of
from stream_app.model.presence import Presence, PresenceStatus, Telling
from stream_app.store import codec

# What is expected is a file of a former day: never derived from what is tested.
NUMBERS_OF_COLUMNS = {
    "offered": 0, "answered": 1, "answered_in_target": 2, "abandoned": 3, "abandoned_in_target": 4, "abandoned_short": 5,
    "left": 6, "left_in_target": 7, "lost": 8, "refused": 9, "handled": 10, "talk_ms": 11, "hold_ms": 12, "wrap_ms": 13,
    "wait_ms": 14, "abandon_wait_ms": 15, "longest_wait_ms": 16,
}  # fmt: skip
NUMBERS_OF_STATES = {"WAITING": 1, "TALKING": 2, "HELD": 3, "WRAPPING": 4, "ABANDONED": 5, "CLOSED": 9}

ROW = bytes.fromhex("dc0020 0707 000000000000000000000000000000 0000 05 0000000000000000000000 fb")
DAY = bytes.fromhex("96 03 92 c0 94 920707 02 01 ce35a4e900 9102 81019104 81058101ff 810502")
VISITS = bytes.fromhex(
    "91 dc0012 a573616c6573 a463686174 02 cf0000019aaaac2600 cf0000019aaaac3988 cd4e20 cd1388 c4080001020304050607"
    "05 02 a3616e6e cf0000019aaaac29e8 c3 cdea60 cd03e8 c3 cd02bc cd1068"
)
AGENT = bytes.fromhex(
    "94 9aa9617661696c61626c65c0aa6f6e5f636f6e7461637481a573616c657392a5627265616ba56c756e6368a3726564a5506f72746f"
    "cf0000019aaaac260981a463686174039185aa636f6e746163745f6964a26331a57374617465a468656c64a76368616e6e656ca463686174"
    "a57175657565a573616c6573a573696e6365cf0000019aaaac2600c2 cf0000019aaaac1278 cf0000019aaaac2218 92"
    "9bcf0000019aaaac2600a477726170c0a573616c657391a573616c6573a3726564a5506f72746fcf0000019aaaac9b3081a46368617402"
    "9182aa636f6e746163745f6964a26331a57374617465a477726170c2 9bcf0000019aad3f5400a76f66666c696e65c0c0c0c0c000c0c0c3"
)
CLOCK = b"kiqUzwAAAZqqrCYAwpGSB2SRkgjR/Bg="
CELL = bytes.fromhex("83 0103 020a cd020504")
FRAME = bytes.fromhex("00000000 00000002 6162 00000002 6363")


def test_a_partition_s_row() -> None:
    """Seven came and were answered; five more came than went in the third minute, and five went in the last one."""
    amounts = codec.unpack_amounts(ROW)
    row = row_of((0, "q", "voice"), compact(amounts))
    assert (row.offered, row.answered, row.answered_in_target, row.longest_wait_ms) == (7, 7, 0, 0)
    assert flows_of(amounts) == [0, 0, 5, *[0] * 11, -5]
    assert codec.pack_amounts(amounts) == ROW


def test_a_published_day() -> None:
    day = PublishedDay(3, [None, Kept([7, 7], 2, 1, 900_000_000)], [2], {1: [4]}, {5: {1: -1}}, {5: 2})
    assert codec.unpack_day(DAY) == day
    assert codec.pack_day(day) == DAY


def test_open_visits() -> None:
    at = 1_763_800_000_000
    visit = Visit(
        queue="sales",
        channel="chat",
        state=2,
        queued_at=at,
        since=at + 5_000,
        answer_target=20_000,
        short_abandon=5_000,
        opener=bytes(range(8)),
        seen=5,
        number=2,
        agent="ann",
        clock=at + 1_000,
        responded=True,
        talk=60_000,
        hold=1_000,
        held=True,
        wait=700,
        predicted=4_200,
    )
    assert codec.unpack_visits(VISITS) == (visit,), "what a former version stored"
    packed = codec.pack_visits((visit,))
    assert packed.startswith(VISITS[:1] + b"\xdc\x00\x1f" + VISITS[4:]), "new fields come at the end"
    assert codec.unpack_visits(packed) == (visit,)


def test_what_a_later_version_appended_to_a_visit_is_left_out() -> None:
    visit = Visit("sales", "voice", 1, 5, 5, 20_000, 5_000, b"12345678", notes=VisitNotes(1, b"\x90", "t"))
    array = msgspec.msgpack.decode(codec.pack_visits((visit,)))
    array[0][-1].append("later")
    array[0].append("later")
    assert codec.unpack_visits(msgspec.msgpack.encode(array)) == (visit,)


def test_an_agent() -> None:
    """The status before what is remembered, a telling with all that one may have, and the end that was never told."""
    at = 1_763_800_000_000
    held = ContactInHand("c1", "held", "chat", "sales", at)
    before = PresenceStatus(
        "available",
        None,
        "on_contact",
        {"sales": ("break", "lunch")},
        "red",
        "Porto",
        at + 9,
        {"chat": 3},
        (held,),
    )
    wraps = (ContactInHand("c1", "wrap"),)
    told = (
        Telling(at, "wrap", None, "sales", ("sales",), "red", "Porto", at + 30_000, {"chat": 2}, wraps),
        Telling(at + 43_200_000, "offline", by_itself=True),
    )
    agent = Presence(before, at - 5_000, at - 1_000, told)
    assert codec.unpack_agent(AGENT) == agent
    assert codec.pack_agent(agent) == AGENT


def test_the_clock_of_a_partition() -> None:
    at = 1_763_800_000_000
    told = Agreement(at, alone=False, older=[(7, at + 100)], newer=[(8, at - 1_000)])
    assert codec.unpack_clock(CLOCK, 42) == told
    assert codec.pack_clock(42, told) == CLOCK
    assert codec.unpack_clock(CLOCK, 43) is None


def test_a_cell() -> None:
    """Two counters, and four in the fifth bucket of the first distribution."""
    assert unpack_cell(CELL) == {1: 3, 2: 10, 1 << 9 | 5: 4}
    assert pack_cell({1: 3, 2: 10, 1 << 9 | 5: 4}) == CELL


def test_a_framed_list() -> None:
    assert codec.unframe(FRAME) == [b"", b"ab", b"cc"]
    assert codec.frame([b"", b"ab", b"cc"]) == FRAME


def test_numbers_that_are_stored_stay() -> None:
    """New ones may be added; nothing is renumbered, taken away or given twice, and nothing takes the minutes' places."""
    numbers = {name: column.number for name, column in COLUMNS.items()}
    assert NUMBERS_OF_COLUMNS.items() <= numbers.items()
    assert (FLOW, MINUTES, FREE) == (17, 15, 32)
    added = [number for name, number in numbers.items() if name not in NUMBERS_OF_COLUMNS]
    assert all(number >= FREE for number in added)
    assert len(set(numbers.values())) == len(numbers)
    assert NUMBERS_OF_STATES.items() <= {state.name: state.value for state in VisitState}.items()
