"""A stay in a queue has one identity, whichever of its lines tells of it."""

from hypothesis import given, strategies as st

from stream_app.ingest.dialects.asterisk import decode
from stream_app.model.events import ContactEvent, Queued

T0 = 1_795_334_400


def told(line: str) -> ContactEvent:
    event = decode(line.encode())[0]
    assert isinstance(event, ContactEvent)
    return event


@given(
    wait=st.integers(0, 100_000),
    talk=st.integers(0, 40_000),
    fraction=st.sampled_from(["", ".9", ".123456"]),
    caller=st.sampled_from(["", "5550100"]),
)
def test_every_end_knows_the_beginning_that_was_or_would_have_been_told(
    wait: int, talk: int, fraction: str, caller: str
) -> None:
    entered = told(f"{T0}|c1|sales|NONE|ENTERQUEUE||{caller}|1")
    assert isinstance(entered, Queued)
    answered, ended = T0 + wait, T0 + wait + talk
    for line in (
        f"{answered}{fraction}|c1|sales|PJSIP/1|CONNECT|{wait}|c2|4",
        f"{answered}{fraction}|c1|sales|NONE|ABANDON|1|1|{wait}",
        f"{answered}{fraction}|c1|sales|NONE|EXITEMPTY|1|2|{wait}",
        f"{answered}{fraction}|c1|sales|NONE|WITHDRAW|1|2|{wait}|manager",
        f"{answered}{fraction}|c1|sales|NONE|EXITWITHKEY|1|1|1|{wait}",
        f"{ended}{fraction}|c1|sales|PJSIP/1|COMPLETEAGENT|{wait}|{talk}|1",
        f"{ended}{fraction}|c1|sales|PJSIP/1|COMPLETECALLER|{wait}|{talk}|1",
        f"{ended}{fraction}|c1|sales|PJSIP/1|BLINDTRANSFER|8|default|{wait}|{talk}|1",
    ):
        beginning = told(line).beginning  # type: ignore[attr-defined] # outcomes have one
        assert beginning.id == entered.id, line


def test_another_call_queue_or_second_is_another_stay() -> None:
    lines = [
        f"{T0}|c1|sales|NONE|ENTERQUEUE||1|1",
        f"{T0}|c2|sales|NONE|ENTERQUEUE||1|1",
        f"{T0}|c1|care|NONE|ENTERQUEUE||1|1",
        f"{T0 + 1}|c1|sales|NONE|ENTERQUEUE||1|1",
    ]
    assert len({told(line).id for line in lines}) == len(lines)
