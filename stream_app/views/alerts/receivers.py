"""Whom a centre wants to be told: a small document of its own, because it holds addresses and names files of secrets.

Pages go out at any time, tickets in office hours. Secrets are never in the document: each is the name of a file.
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
_MEANS: Final = {
    _URL: "an address that begins with http:// or https://, without spaces, dollars and braces",
    _TEXT: "a text without line breaks, dollars and braces",
    _MAIL: "one mail address, like floor@example.org",
    _FILE: "the absolute path of a file",
    _HOST: "a host and its port, like smtp.example.org:587",
}
"""Pattern → what people write. Grafana takes a dollar for a variable."""
Url = Annotated[str, Meta(pattern=_URL)]
Text = Annotated[str, Meta(min_length=1, max_length=200, pattern=_TEXT)]
Mail = Annotated[str, Meta(pattern=_MAIL)]
File = Annotated[str, Meta(pattern=_FILE)]


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Posts JSON; ``token_file`` holds what is sent as ``Authorization: Bearer``."""

    url: Url
    token_file: File | None = None


class Email(Struct, frozen=True, forbid_unknown_fields=True):
    """Mails to these addresses, through the server of ``[smtp]``; Grafana takes its own (``GF_SMTP_…``)."""

    to: Annotated[tuple[Mail, ...], Meta(min_length=1)]


class Slack(Struct, frozen=True, forbid_unknown_fields=True):
    """An incoming webhook; ``url_file`` holds its address."""

    url_file: File
    channel: Text


class PagerDuty(Struct, frozen=True, forbid_unknown_fields=True):
    """Events API v2; the file holds the integration's key."""

    routing_key_file: File


class Opsgenie(Struct, frozen=True, forbid_unknown_fields=True):
    """The file holds the integration's key."""

    api_key_file: File
    api_url: Url = "https://api.opsgenie.com/"


class Told(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told; several at once may be."""

    webhook: Webhook | None = None
    email: Email | None = None
    slack: Slack | None = None
    pagerduty: PagerDuty | None = None
    opsgenie: Opsgenie | None = None


class Smtp(Struct, frozen=True, forbid_unknown_fields=True):
    """How Alertmanager sends mail."""

    smarthost: Annotated[str, Meta(pattern=_HOST)]
    sender: Mail
    username: Text | None = None
    password_file: File | None = None


class Receivers(Struct, frozen=True):
    """The document.

    Attributes:
        page: whoever gets up for it.
        ticket: whoever looks at it by day.
        smtp: needed where Alertmanager is to send mail.
        hours: when tickets are told; ``None``: at any time.
        runbook: where people find ``docs/runbook.md`` when they are woken; each alert adds its section.
    """

    page: Told
    ticket: Told
    smtp: Smtp | None = None
    hours: Hours | None = None
    runbook: str = RUNBOOK

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Receivers":
        """Check a parsed document.

        Raises:
            ValueError: one line that names the place and what is wrong with it.
        """
        kinds = {"page": Told, "ticket": Told, "smtp": Smtp}
        known = (*kinds, "hours", "runbook")
        for name in document.keys() - set(known):
            raise ValueError(f"{name}: nothing is called so{guess(name, known)}")
        parts: dict[str, Any] = {
            name: _read(name, document[name], kind) for name, kind in kinds.items() if name in document
        }
        for name in ("page", "ticket"):
            if not document.get(name):
                raise ValueError(f"{name}: name at least one of {', '.join(Told.__struct_fields__)}")
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
    """What the library complains of, for people."""
    for pattern, means in _MEANS.items():
        if repr(pattern)[1:-1] in what or pattern in what:
            return f"expected {means}"
    if found := re.fullmatch(r"Object contains unknown field `(.+)`", what):
        ways = {f.name: f.type.__args__[0] for f in structs.fields(Told)}
        known = ways.get(path.removeprefix("."), kind).__struct_fields__
        name = found[1]
        hint = f"; name a file: {name}_file" if f"{name}_file" in known else guess(name, known)
        return f"nothing is called {name!r} here, only {', '.join(known)}{hint}"
    return f"{what[0].lower()}{what[1:]}"


def _hours(document: Any) -> Hours:
    hours = Hours.of("hours", document)
    if hours.zone is None:
        raise ValueError('hours.zone: name it, as in zone = "Europe/Berlin"')
    for name in ("special", "breaks", "holidays"):
        if getattr(hours, name):
            raise ValueError(f"hours.{name}: tickets know weekly hours only")
    return hours


def unfit(receivers: Receivers, *, alertmanager: bool) -> str | None:
    """Why these can't be told by whoever tells; ``None`` if they can."""
    if alertmanager and receivers.smtp is None and (receivers.page.email or receivers.ticket.email):
        return "smtp: Alertmanager needs to know how to send mail"
    return None


UNCHOSEN: Final = Receivers(
    page=Told(webhook=Webhook("http://127.0.0.1:9/nobody-is-told-yet")),
    ticket=Told(webhook=Webhook("http://127.0.0.1:9/nobody-is-told-yet")),
)
"""What is committed: nobody listens there, and whoever looks at the alerts sees that telling fails."""

OFF_HOURS: Final = "off-hours"


def off_hours(hours: Hours) -> list[dict[str, Any]]:
    """Everything outside of weekly hours, as Alertmanager and Grafana write it: no span goes over midnight."""
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
    """The gaps between a day's periods, from 00:00 to 24:00."""
    at, gaps = "00:00", []
    for period in periods:
        start, _, end = period.partition("-")
        if at < start:
            gaps.append((at, start))
        at = end
    return [*gaps, (at, "24:00")] if at < "24:00" else gaps


def secret_files(receivers: Receivers) -> list[PurePosixPath]:
    """Every file that the document names."""
    found: list[PurePosixPath] = []
    for told in (receivers.page, receivers.ticket):
        for kind in Told.__struct_fields__:
            way = getattr(told, kind)
            found += [
                PurePosixPath(getattr(way, name))
                for name in (way.__struct_fields__ if way else ())
                if name.endswith("_file") and getattr(way, name)
            ]
    if receivers.smtp and receivers.smtp.password_file:
        found.append(PurePosixPath(receivers.smtp.password_file))
    return list(dict.fromkeys(found))
