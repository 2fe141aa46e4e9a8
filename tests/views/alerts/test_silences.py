"""The commands of docs/alerting.md to acknowledge and mute, as printed, on a real Alertmanager."""

import re
import shlex
from pathlib import Path

import pytest

from stream_app.views.alerts import alertmanager
from stream_app.views.alerts.receivers import UNCHOSEN, Receivers
from tests.services.alertmanager import Alertmanager, Inbox, amtool
from tests.services.process import ServiceError, until
from tests.views.alerts.quick import quick_routes
from tests.views.alerts.test_routes import Told

PAGE = (Path(__file__).parents[3] / "docs/alerting.md").read_text()
ADDRESS = "--alertmanager.url=http://127.0.0.1:9093"
PRINTED = [
    shlex.split(line)
    for line in re.findall(r"^    docker compose exec alertmanager amtool (.+)$", PAGE, re.MULTILINE)
]


def run(server: Alertmanager, words: list[str]) -> str:
    """Run a command as it is printed, on this server."""
    assert words[0] == ADDRESS
    return amtool(f"--alertmanager.url={server.url}", *words[1:])


def told_of(told: Told, queue: str) -> bool:
    return any(found[2] == queue for found in told.heard())


async def test_what_is_acknowledged_as_printed_is_not_sent_and_says_why_and_by_whom() -> None:
    query, acknowledge, mute, silences, expire = PRINTED
    async with Inbox() as inbox:
        hooks = {who: {"webhook": {"url": f"{inbox.url}/{who}"}} for who in ("page", "ticket")}
        with Alertmanager(quick_routes(alertmanager.config(Receivers.of(hooks)))) as server:
            told = Told(server, inbox)
            acknowledged, muted = run(server, acknowledge).strip(), run(server, mute).strip()
            await told.fire(("OldestWaitingOffTarget", "billing"), ("OldestWaitingOffTarget", "sales"))
            await until(lambda: told_of(told, "sales"))
            assert not told_of(told, "billing")
            assert "OldestWaitingOffTarget" in run(server, query)
            shown = run(server, silences)
            assert acknowledged[:8] in shown
            assert "anna" in shown
            assert "Calling back" in shown
            assert muted != acknowledged, "it begins later"
            run(server, [acknowledged if word == "ID" else word for word in expire])
            await told.fire(("OldestWaitingOffTarget", "billing"), ("OldestWaitingOffTarget", "sales"))
            await until(lambda: told_of(told, "billing"))


def test_a_silence_has_a_reason_and_an_end() -> None:
    for words in PRINTED:
        if words[1:3] == ["silence", "add"]:
            options = {word.partition("=")[0] for word in words}
            assert {"--comment", "--author"} <= options
            assert {"--duration"} <= options or {"--start", "--end"} <= options


def test_without_a_reason_it_is_refused_as_the_page_says() -> None:
    (words,) = (words for words in PRINTED if "--duration=1h" in words)
    bare = [word for word in words if not word.startswith("--comment")]
    with Alertmanager(alertmanager.config(UNCHOSEN)) as server, pytest.raises(ServiceError, match="comment"):
        run(server, bare)
