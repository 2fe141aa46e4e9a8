"""Every stay in a queue counts once, however often its end is told, under whichever id, and whatever lines are missing."""

from collections import Counter
from collections.abc import Iterator

from hypothesis import given, strategies as st
from msgspec import Struct

from .test_platforms import counted

T0 = 1_795_334_400
APART_S = 5
"""Two calls that enter one queue within two seconds can't be told apart where lines are missing."""
Line = tuple[int, str]


class Call(Struct):
    """One stay in a queue, as it was and as the log tells it.

    Attributes:
        fate: what ended the wait; `answered` is a conversation with an agent of its own.
        told: how often the end is told: 0 to 3 times.
        later: seconds by which each repetition is later; its wait or talk may be that much longer.
        longer: whether it is.
        other: whether each telling of the end has another id than the call.
        renamed: the call has another id from its answer on.
        lost: the line that is missing.
    """

    queue: str
    wait: int
    talk: int
    fate: str
    told: int
    later: list[int]
    longer: bool
    other: list[bool]
    renamed: bool
    lost: str


calls = st.builds(
    Call,
    queue=st.sampled_from(["sales", "support"]),
    wait=st.integers(0, 300),
    talk=st.integers(0, 900),
    fate=st.sampled_from(["answered", "answered", "answered", "abandoned", "timeout", "empty", "withdrawn"]),
    told=st.integers(0, 3),
    later=st.lists(st.integers(0, 1), min_size=3, max_size=3),
    longer=st.booleans(),
    other=st.lists(st.booleans(), min_size=3, max_size=3),
    renamed=st.booleans(),
    lost=st.sampled_from(["", "", "", "enter", "connect"]),
)


def lines_of(n: int, call: Call) -> Iterator[Line]:
    entered = T0 + n * APART_S
    agent, first, second = f"PJSIP/{n}", f"{entered}.{n}", f"{entered}.{n}-masqueraded"
    over = entered + call.wait
    if call.lost != "enter":
        yield entered, f"{first}|{call.queue}|NONE|ENTERQUEUE||555|1"
    if call.fate == "answered":
        if call.lost != "connect":
            talking = second if call.renamed else first
            yield over, f"{talking}|{call.queue}|{agent}|CONNECT|{call.wait}|x|3"
        for k, later in list(enumerate(call.later))[: call.told]:
            talk = call.talk + (later if call.longer else 0)
            verb = "COMPLETECALLER" if k % 2 else "COMPLETEAGENT"
            name = second if call.other[k] else first
            yield over + call.talk + later, f"{name}|{call.queue}|{agent}|{verb}|{call.wait}|{talk}|1"
        return
    verbs = {
        "abandoned": "ABANDON",
        "timeout": "EXITWITHTIMEOUT",
        "empty": "EXITEMPTY",
        "withdrawn": "WITHDRAW",
    }
    for k, later in list(enumerate(call.later))[: call.told]:
        wait = call.wait + (later if call.longer else 0)
        verb = "ABANDON" if k == 1 else verbs[call.fate]
        yield over + later, f"{first}|{call.queue}|NONE|{verb}|1|1|{wait}"


def ledger(listed: list[Call]) -> Counter[tuple[str, str]]:
    """What the lines allow to know."""
    known: Counter[tuple[str, str]] = Counter()
    for call in listed:
        answered = call.fate == "answered" and (call.lost != "connect" or call.told > 0)
        over = call.fate != "answered" and call.told > 0
        known[call.queue, "offered"] += call.lost != "enter" or answered or over
        known[call.queue, "answered"] += answered
        known[call.queue, "handled"] += call.fate == "answered" and call.told > 0
        known[call.queue, "over"] += over
    return +known


@given(st.lists(calls, min_size=1, max_size=12))
def test_each_stay_counts_once(listed: list[Call]) -> None:
    told = sorted(
        (line for n, call in enumerate(listed) for line in lines_of(n, call)), key=lambda line: line[0]
    )
    said = [(at * 1000, f"{at}|{text}".encode()) for at, text in told]
    found: Counter[tuple[str, str]] = Counter()
    for queue, counters in (counted(said, "asterisk") if said else {}).items():
        for name in ("offered", "answered", "handled"):
            found[queue, name] += counters.get(name, 0)
        found[queue, "over"] += counters.get("abandoned", 0) + counters.get("left", 0)
    assert +found == ledger(listed)
