"""Every reason that a dialect gives is counted as what it means."""

from functools import partial

from stream_app.ingest.dialects import amazon_connect, asterisk
from stream_app.model.reasons import left_by, refused_by

LEFT = {"timeout": "timeout", "empty": "empty", "key": "key", "withdrawn": "other", "incompatible": "other"}
REFUSED = {"full": "full", "empty": "empty", "closed": "closed"}
OF_CONNECT = {"transfer": "transfer", "expired": "timeout"}


def test_reasons_of_queue_logs() -> None:
    left: set[str] = set()
    refused: set[str] = set()
    for tell in asterisk.EVENTS.values():
        if isinstance(tell, partial) and tell.func in {asterisk._left, asterisk._refused}:
            (left if tell.func is asterisk._left else refused).add(tell.keywords["reason"])
    assert {reason: left_by(reason) for reason in left} == LEFT
    assert {reason: refused_by(reason) for reason in refused} == REFUSED
    assert refused_by("divert_all") == "other"


def test_reasons_of_amazon_connect() -> None:
    for reason in amazon_connect._NOT_BY_CUSTOMER.values():
        assert left_by(reason) == OF_CONNECT.get(reason, "other")


def test_a_name_counts_in_any_case_and_none_or_another_is_other() -> None:
    assert [left_by(name) for name in ("Timeout", "CALLBACK", "voicemail", "other", "", None)] == [
        "timeout", "callback", "other", "other", "other", "other",
    ]  # fmt: skip
    assert [refused_by(name) for name in ("Full", "no_agents", "why not", None)] == [
        "full",
        "empty",
        "other",
        "other",
    ]
