"""Each way of notifying somebody, as a real Alertmanager takes it: what arrives at the other end."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream_app.views.alerts import alertmanager
from stream_app.views.alerts.receivers import Audience, Receivers
from tests.services.alertmanager import Alertmanager, Inbox, Message, amtool
from tests.services.process import HOST, until
from tests.views.alerts.quick import quick_routes
from tests.views.alerts.test_routes import Told

SECRET = "s3cret"  # noqa: S105 - of nobody


class Mailbox:
    """A mail server that keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[str] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak as much of SMTP as a client needs."""
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            writer.write({b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}.get(word, b"250 ok\r\n"))
            if word == b"DATA":
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                writer.write(b"250 ok\r\n")
            if word == b"QUIT":
                break
        writer.close()
        await writer.wait_closed()


def everyone(url: str, directory: Path, mail: str) -> Receivers:
    """Every way that there is, all of them to this machine."""

    def file(name: str, content: str = SECRET) -> str:
        path = directory / name
        path.write_text(f"{content}\n")  # as editors leave it
        return str(path)

    page: dict[str, Any] = {
        "webhook": {"url": f"{url}/webhook", "token_file": file("webhook")},
        "email": {"to": ["floor@example.org"]},
        "slack": {"url_file": file("slack", f"{url}/slack"), "channel": "#floor"},
        "teams": {"url_file": file("teams", f"{url}/teams")},
        "pagerduty": {"routing_key_file": file("pagerduty")},
        "jira_service_management": {"api_key_file": file("jira"), "api_url": f"{url}/jsm/ops/integration"},
        "incident_io": {"url": f"{url}/incident-io", "token_file": file("incident-io")},
        "opsgenie": {"api_key_file": file("opsgenie"), "api_url": f"{url}/opsgenie"},
    }
    assert page.keys() == set(Audience.__struct_fields__)
    return Receivers.of(
        {"page": page, "ticket": page, "smtp": {"smarthost": mail, "sender": "alerts@example.org"}}
    )


def here(config: str, url: str) -> str:
    """Lead what has an address that can't be chosen to this machine."""
    document = yaml.safe_load(quick_routes(config))
    document["global"] |= {"pagerduty_url": f"{url}/pagerduty", "smtp_require_tls": False}
    return yaml.safe_dump(document)


@asynccontextmanager
async def notifying(directory: Path, *options: str) -> AsyncIterator[tuple[Told, Mailbox]]:
    mailbox = Mailbox()
    mail = await asyncio.start_server(mailbox.take, HOST, 0)
    async with Inbox() as inbox, mail:
        port = mail.sockets[0].getsockname()[1]
        config = alertmanager.config(everyone(inbox.url, directory, f"{HOST}:{port}"))
        with Alertmanager(here(config, inbox.url), *options) as server:
            yield Told(server, inbox), mailbox


def by_path(messages: list[Message]) -> Mapping[str, Message]:
    return {message.path.strip("/").partition("/")[0]: message for message in messages}


async def test_every_way_delivers_what_happened(tmp_path: Path) -> None:
    async with notifying(tmp_path) as (told, mailbox):
        await told.fire(("OldestWaitingOffTarget", "sales"))
        await until(lambda: len(by_path(told.inbox.messages)) == 7 and mailbox.mails, 30)
    got = by_path(told.inbox.messages)
    summary = "sales (voice): longest wait 3:00, target 2:00, 7 waiting"
    for way in ("webhook", "incident-io"):
        assert got[way].authorization == f"Bearer {SECRET}"
        assert got[way].body["alerts"][0]["annotations"]["summary"] == summary
    assert got["slack"].body["attachments"][0]["title"] == summary
    assert got["pagerduty"].body["routing_key"] == SECRET
    assert got["pagerduty"].body["payload"]["summary"] == summary
    for way, path in (("jsm", "/jsm/ops/integration/v2/alerts"), ("opsgenie", "/opsgenie/v2/alerts")):
        assert got[way].path == path
        assert got[way].authorization == f"GenieKey {SECRET}"
        assert got[way].body["message"] == summary
    (card,) = got["teams"].body["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    title, text = (block["text"] for block in card["content"]["body"])
    assert title == summary
    assert text.split("\n\n")[0] == summary
    assert "To: floor@example.org" in mailbox.mails[0]
    assert SECRET not in json.dumps(
        [message.body for message in told.inbox.messages if message.path != "/pagerduty"]
    )


def test_amtool_accepts_every_way(tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(alertmanager.config(everyone("http://127.0.0.1:9", tmp_path, "127.0.0.1:25")))
    assert "SUCCESS" in amtool("check-config", path)


def test_a_way_that_alertmanager_does_not_know_is_found(tmp_path: Path) -> None:
    """The check above can fail: the same file with one letter wrong."""
    config = alertmanager.config(everyone("http://127.0.0.1:9", tmp_path, "127.0.0.1:25"))
    path = tmp_path / "alertmanager.yml"
    path.write_text(config.replace("msteamsv2_configs", "msteamsv3_configs"))
    with pytest.raises(AssertionError, match="msteamsv3_configs"):
        amtool("check-config", path)
