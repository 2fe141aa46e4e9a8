"""``stream-app alerts send-test``: a real Alertmanager is asked to notify, and what became of it is said."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from stream_app.commands.alerts import command
from stream_app.commands.alerts.alertmanager import ways_of
from stream_app.errors import StreamAppError
from stream_app.model.targets.calendars import WEEKDAYS
from stream_app.views.alerts import alertmanager
from stream_app.views.alerts.receivers import UNCHOSEN, Receivers
from tests.services.alertmanager import Alertmanager, Inbox
from tests.services.process import HOST, free_port
from tests.views.alerts.quick import quick_routes
from tests.views.alerts.test_ways import by_path, notifying

NAMED = "--enable-feature=receiver-name-in-metrics"
"""As in docker-compose.yml."""


class Done(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    said: list[str]


async def send(url: str, *options: str) -> Done:
    """Run the command as a shell would."""
    cli = CliRunner()
    given = ["send-test", "--alertmanager", url, *options]
    done = await asyncio.to_thread(cli.invoke, command.cli, given)
    if isinstance(done.exception, StreamAppError):
        raise done.exception
    return Done(done.exit_code, done.stdout.splitlines())


def hooks(inbox: Inbox, **more: Any) -> str:
    ways = {who: {"webhook": {"url": f"{inbox.url}/{who}"}} for who in ("page", "ticket")}
    return quick_routes(alertmanager.config(Receivers.of({**ways, **more})))


@pytest.mark.parametrize("options", [(NAMED,), ()], ids=["receivers are told apart", "they are not"])
async def test_everybody_is_sent_a_message_that_says_that_it_is_a_test(options: tuple[str, ...]) -> None:
    async with Inbox() as inbox:
        with Alertmanager(hooks(inbox), *options) as server:
            done = await send(server.url)
    assert done == (0, ["page: page by webhook: sent", "ticket: ticket by webhook: sent"])
    firing = [message for message in inbox.messages if message.body["status"] == "firing"]
    for message, severity in zip(firing, ("page", "ticket"), strict=True):
        assert message.path == f"/{severity}"
        (alert,) = message.body["alerts"]
        assert alert["annotations"]["summary"] == f"Test of a {severity}: nothing is wrong"


async def test_every_way_has_its_own_line(tmp_path: Path) -> None:
    async with notifying(tmp_path, NAMED) as (told, mailbox):
        (tmp_path / "slack").unlink()
        done = await send(told.url, "--severity", "page")
    assert done.code == 1
    lines = dict(line.removeprefix("page: page by ").split(": ", 1) for line in done.said)
    assert {way: said for way, said in lines.items() if said != "sent"} == {
        "slack": "0 of 1 sent, 1 attempts failed; its log has the reason (`docker compose logs alertmanager`)"
    }
    assert lines.keys() == {
        *("email", "opsgenie or jira_service_management", "pagerduty", "slack", "teams", "webhook")
    }
    assert len(by_path(told.inbox.messages)) == 6
    assert mailbox.mails


async def test_a_ticket_outside_of_office_hours_is_held_back_and_so_it_is_said() -> None:
    day = WEEKDAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]
    async with Inbox() as inbox:
        config = hooks(inbox, hours={"zone": "UTC", "hours": {day: ["08:00-09:00"]}})
        with Alertmanager(config, NAMED) as server:
            done = await send(server.url, "--severity", "ticket")
    assert done == (
        1,
        ["ticket: ticket by webhook: held back, because it is outside [hours]; try again within them"],
    )
    assert inbox.messages == []


async def test_while_nobody_is_chosen_it_says_that_it_fails() -> None:
    with Alertmanager(quick_routes(alertmanager.config(UNCHOSEN)), NAMED) as server:
        done = await send(server.url, "--severity", "page")
    assert done.code == 1
    assert done.said[0].startswith("page: page by webhook: 0 of 1 sent, 1 attempts failed;")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "no Alertmanager answers at http://127.0.0.1:{port}: "),
        (("--severity", "pages"), "--severity: expected page or ticket, got 'pages'"),
        (("--label", "team"), "--label: expected NAME=VALUE, got 'team'"),
    ],
)
async def test_what_is_wrong_is_one_line(options: tuple[str, ...], said: str) -> None:
    port = free_port()
    with pytest.raises(StreamAppError) as caught:
        await send(f"http://{HOST}:{port}", *options)
    assert str(caught.value).startswith(said.format(port=port))
    assert "\n" not in str(caught.value)


def test_ways_are_read_from_the_configuration_in_force() -> None:
    config = """global:
  resolve_timeout: 5m
route:
  receiver: page
receivers:
- name: page
  webhook_configs:
  - url: <secret>
    http_config:
      x:
      - a
  - url: <secret>
  msteamsv2_configs:
  - send_resolved: true
- name: nobody
templates: []
"""
    assert ways_of(config) == {"page": {"webhook": 2, "msteamsv2": 1}, "nobody": {}}
    assert ways_of("route: {}") == {}
