"""The people whom a centre wants to notify: a document of its own, because it has addresses and names files of secrets.

Pages are sent at any time, tickets in office hours. Secrets are never in the document: each is the name of a file.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from msgspec import Meta, Struct, ValidationError, convert, structs

from stream_app.model.targets.calendars import WEEKDAYS, Hours, guess

from .rule import RUNBOOK

_URL, _TEXT, _MAIL, _FILE, _HOST = (
    r"^https?://[^\s${}]+$",
    r"^[^${}\x00-\x1f]+$",
    r"^[^@\s$;,]+@[^@\s$;,]+$",
    r"^/[^\s${}]+$",
    r"^[^\s:]+:\d+$",
)
_RECEIVER: Final = r"[a-z][a-z0-9_-]{0,39}"
_MEANS: Final = {
    _URL: "an address that begins with http:// or https://, without spaces, dollar signs or braces",
    _TEXT: "a text without line breaks, dollar signs or braces",
    _MAIL: "one email address, like floor@example.org",
    _FILE: "the absolute path of a file",
    _HOST: "a host and its port, like smtp.example.org:587",
}
"""Pattern → its description for people. Grafana reads a dollar sign as a variable."""
Url = Annotated[str, Meta(pattern=_URL)]
Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=_TEXT)]
Mail = Annotated[str, Meta(pattern=_MAIL)]
FileName = Annotated[str, Meta(pattern=_FILE)]


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """A webhook that is sent JSON; ``token_file`` contains the token for ``Authorization: Bearer``."""

    url: Url
    token_file: FileName | None = None


class Email(Struct, frozen=True, forbid_unknown_fields=True):
    """Email addresses, reached through the server of ``[smtp]``; Grafana uses its own (``GF_SMTP_…``)."""

    to: Annotated[tuple[Mail, ...], Meta(min_length=1)]


class Slack(Struct, frozen=True, forbid_unknown_fields=True):
    """A Slack incoming webhook; ``url_file`` contains its address."""

    url_file: FileName
    channel: Text


class Teams(Struct, frozen=True, forbid_unknown_fields=True):
    """A workflow of Microsoft Teams that posts what its webhook receives; ``url_file`` contains its address."""

    url_file: FileName


class PagerDuty(Struct, frozen=True, forbid_unknown_fields=True):
    """PagerDuty's Events API v2; the file contains the integration key."""

    routing_key_file: FileName


class JiraServiceManagement(Struct, frozen=True, forbid_unknown_fields=True):
    """An integration of Jira Service Management's alerts, which speaks Opsgenie's protocol; the file contains its key."""

    api_key_file: FileName
    api_url: Url = "https://api.atlassian.com/jsm/ops/integration/"


class IncidentIo(Struct, frozen=True, forbid_unknown_fields=True):
    """An alert source of incident.io, of the kind of who evaluates the alerts; the file contains its token."""

    url: Url
    token_file: FileName


class Opsgenie(Struct, frozen=True, forbid_unknown_fields=True):
    """An Opsgenie integration; the file contains its key. Atlassian ends the service (``OPSGENIE_ENDS``)."""

    api_key_file: FileName
    api_url: Url = "https://api.opsgenie.com/"


OPSGENIE_ENDS: Final = "2027-04-05"


class Audience(Struct, frozen=True, forbid_unknown_fields=True):
    """The ways to notify someone, one or several."""

    webhook: Webhook | None = None
    email: Email | None = None
    slack: Slack | None = None
    teams: Teams | None = None
    pagerduty: PagerDuty | None = None
    jira_service_management: JiraServiceManagement | None = None
    incident_io: IncidentIo | None = None
    opsgenie: Opsgenie | None = None


class Smtp(Struct, frozen=True, forbid_unknown_fields=True):
    """The mail server for Alertmanager."""

    smarthost: Annotated[str, Meta(pattern=_HOST)]
    sender: Mail
    username: Text | None = None
    password_file: FileName | None = None


class Receivers(Struct, frozen=True):
    """The document.

    Attributes:
        page: who gets up for it.
        ticket: who looks at it during the day.
        smtp: required where Alertmanager sends email.
        hours: when tickets are sent; ``None``: at any time.
        named: receivers that custom rules choose, by name.
        runbook: where people who are woken find ``docs/runbook.md``; each alert adds its section.
    """

    page: Audience
    ticket: Audience
    smtp: Smtp | None = None
    hours: Hours | None = None
    runbook: str = RUNBOOK
    named: Mapping[str, Audience] = {}

    @property
    def everyone(self) -> tuple[tuple[str, Audience], ...]:
        """Name and ways of every receiver."""
        return (("page", self.page), ("ticket", self.ticket), *self.named.items())

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Receivers":
        """Check a parsed document.

        Raises:
            ValueError: one line with the place and what is wrong there.
        """
        kinds = {"page": Audience, "ticket": Audience, "smtp": Smtp}
        known = (*kinds, "hours", "runbook", "receivers")
        for name in document.keys() - set(known):
            raise ValueError(f"{name}: unknown section{guess(name, known)}")
        parts: dict[str, Any] = {
            name: _read(name, document[name], kind) for name, kind in kinds.items() if name in document
        }
        for name in ("page", "ticket"):
            if not document.get(name):
                raise ValueError(f"{name}: expected at least one of {', '.join(Audience.__struct_fields__)}")
        if "receivers" in document:
            parts["named"] = _named(document["receivers"])
        if "runbook" in document:
            parts["runbook"] = _read("runbook", document["runbook"], Url)
        if "hours" in document:
            parts["hours"] = _hours(document["hours"])
        return cls(**parts)


def _read(place: str, value: Any, kind: Any) -> Any:
    try:
        return convert(value, kind, strict=True)
    except ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        path = path.rstrip("`")
        raise ValueError(f"{place}{path}: {_in_words(what, kind, path)}") from None


def _in_words(what: str, kind: Any, path: str) -> str:
    """Translate the library's complaint for people."""
    for pattern, means in _MEANS.items():
        if repr(pattern)[1:-1] in what or pattern in what:
            return f"expected {means}"
    if found := re.fullmatch(r"Object contains unknown field `(.+)`", what):
        ways = {f.name: f.type.__args__[0] for f in structs.fields(Audience)}
        known = ways.get(path.removeprefix("."), kind).__struct_fields__
        name = found[1]
        hint = f"; give a file: {name}_file" if f"{name}_file" in known else guess(name, known)
        return f"unknown field {name!r}, expected {', '.join(known)}{hint}"
    return f"{what[0].lower()}{what[1:]}"


def _named(tables: Any) -> dict[str, Audience]:
    if not isinstance(tables, Mapping):
        raise ValueError(f"receivers: expected a table for each name, got {tables!r}")  # noqa: TRY004 - bad input
    for name, ways in tables.items():
        if not re.fullmatch(_RECEIVER, name) or name in ("page", "ticket"):
            raise ValueError(
                f"receivers.{name}: expected a name in lower-case letters, digits, - and _, other than page and ticket"
            )
        if not ways:
            raise ValueError(
                f"receivers.{name}: expected at least one of {', '.join(Audience.__struct_fields__)}"
            )
    return {name: _read(f"receivers.{name}", ways, Audience) for name, ways in tables.items()}


def _hours(document: Any) -> Hours:
    hours = Hours.of("hours", document)
    if hours.zone is None:
        raise ValueError('hours.zone: expected a time zone, like zone = "Europe/Berlin"')
    for name in ("special", "breaks", "holidays"):
        if getattr(hours, name):
            raise ValueError(f"hours.{name}: not supported for tickets; use weekly hours only")
    return hours


def unfit(receivers: Receivers, *, alertmanager: bool) -> str | None:
    """Return why the notifier can't reach these receivers; ``None`` if it can."""
    if alertmanager and receivers.smtp is None and any(audience.email for _, audience in receivers.everyone):
        return "smtp: required, because Alertmanager sends the email"
    return None


def notices(receivers: Receivers) -> list[str]:
    """Return what people should know about the ways that they have chosen."""
    if receivers.page.opsgenie or receivers.ticket.opsgenie:
        return [
            f"opsgenie: the service ends on {OPSGENIE_ENDS} and notifies nobody from then on; move to jira_service_management"
        ]
    return []


UNCHOSEN: Final = Receivers(
    page=Audience(webhook=Webhook("http://127.0.0.1:9/no-receiver-chosen-yet")),
    ticket=Audience(webhook=Webhook("http://127.0.0.1:9/no-receiver-chosen-yet")),
)
"""The committed receivers: nobody listens there, and the alert pages show that notifications fail."""

OFF_HOURS: Final = "off-hours"


def off_hours(hours: Hours) -> list[dict[str, Any]]:
    """Return everything outside weekly hours in the syntax of Alertmanager and Grafana: no span crosses midnight."""
    days: dict[tuple[str, ...], list[str]] = {}
    for day, name in zip(WEEKDAYS, _NAMES, strict=True):
        days.setdefault(hours.hours.get(day, ()), []).append(name)
    out: list[dict[str, Any]] = []
    for periods, names in days.items():
        closed = _closed(periods)
        if not closed:
            continue
        times = (
            [] if closed == [("00:00", "24:00")] else [{"start_time": a, "end_time": b} for a, b in closed]
        )
        out.append(
            {**({"times": times} if times else {}), "weekdays": names, "location": hours.zone or "UTC"}
        )
    return out


_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _closed(periods: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the gaps between a day's periods, from 00:00 to 24:00."""
    at, gaps = "00:00", []
    for period in periods:
        start, _, end = period.partition("-")
        if at < start:
            gaps.append((at, start))
        at = end
    return [*gaps, (at, "24:00")] if at < "24:00" else gaps


def secret_files(receivers: Receivers) -> list[PurePosixPath]:
    """List every file that the document names."""
    found: list[PurePosixPath] = []
    for _, audience in receivers.everyone:
        for kind in Audience.__struct_fields__:
            way = getattr(audience, kind)
            found += [
                PurePosixPath(getattr(way, name))
                for name in (way.__struct_fields__ if way else ())
                if name.endswith("_file") and getattr(way, name)
            ]
    if receivers.smtp and receivers.smtp.password_file:
        found.append(PurePosixPath(receivers.smtp.password_file))
    return list(dict.fromkeys(found))
