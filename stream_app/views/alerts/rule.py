"""One alert, for either evaluator."""

import re
from collections.abc import Iterator
from typing import Final, Literal

from msgspec import Struct

from stream_app.model.kpis.alerts import DEFERRED
from stream_app.views import naming
from stream_app.views.links import WALLBOARD
from stream_app.views.runbook import PATH

from .templates import Quoted, Source, TextForm

RUNBOOK: Final = "docs/runbook.md"


class Addresses(Struct, frozen=True):
    """Where people find what a message links to, without a slash at the end.

    Attributes:
        wallboard: the address of ``serve``, as browsers reach it.
        grafana: the address of Grafana. Rules that Grafana evaluates use Grafana's own (``GF_SERVER_ROOT_URL``).
    """

    wallboard: str = WALLBOARD
    grafana: str = "http://127.0.0.1:3000"

    def runbook(self, given: str) -> str:
        """Return where the runbook is: at the address given, or else where ``serve`` has it."""
        return f"{self.wallboard}{PATH}" if given == RUNBOOK else given


COMPOSE: Final = Addresses()
"""Those of ``docker-compose.yml``."""


class AlertRule(Struct, frozen=True, kw_only=True):
    """An alert on a number per set of labels: it fires above one level and clears at another, lower one.

    In ``summary`` and ``description``, ``VALUE`` stands for the number, and ``%name%`` for a figure.

    Attributes:
        group: the subject: the centre's numbers, or the pipeline that makes them.
        name: unique; the person on call reads it first.
        subject: the runbook's section, and the label ``kpi``: a KPI, or a part of the pipeline.
        value: PromQL; without a row there is nothing to judge.
        above: it fires for each row greater than this.
        clear: it clears when the row is less than this; where it equals ``above``, when the row is not greater.
        by: the labels that distinguish the rows.
        hold: how long it must last (Prometheus duration).
        keep: how long it keeps firing after it was last seen.
        shown: the template function that formats the value.
        dashboard, panel: the panel that shows it.
        figures: other numbers of the same row for the texts.
        do: what to do, in one line.
        known: PromQL that has a row while it is known whether the alert is over; what fired stays as long as it has none.
            Empty: always known.
        yields_to: PromQL of what holds a page back in the same queue, for an evaluator that can't see what fires.
    """

    group: Literal["kpis", "pipeline", "custom"]
    name: str
    subject: str
    value: str
    above: float
    clear: float
    by: tuple[str, ...]
    hold: str
    keep: str
    severity: str
    summary: str
    description: str
    shown: str
    dashboard: str
    panel: int
    figures: tuple[Quoted, ...] = ()
    do: str = ""
    known: str = ""
    yields_to: str = ""

    @property
    def uid(self) -> str:
        """Grafana's id: stable, at most 40 characters."""
        return f"{self.group}-{self.kebab}"

    @property
    def kebab(self) -> str:
        """The name in lower case with hyphens."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", self.name).lower()

    @property
    def record(self) -> str:
        """The name of the recording rule that keeps the value."""
        return f"alert:{self.kebab.replace('-', '_')}:value"

    @property
    def labels(self) -> dict[str, str]:
        """The labels by which alerts are routed and inhibited; a page is a ticket on channels where nobody holds the line."""
        severity = self.severity
        if severity == "page" and naming.CHANNEL in self.by:
            deferred = " ".join(f'"{channel}"' for channel in DEFERRED)
            severity = f"{{{{ if eq .Labels.channel {deferred} }}}}ticket{{{{ else }}}}page{{{{ end }}}}"
        return {"severity": severity, "group": self.group, "kpi": self.subject}

    @property
    def pages_a_queue(self) -> bool:
        """Whether it is a page about one queue: of these, one is sent for one incident."""
        return self.group == "kpis" and self.severity == "page" and naming.QUEUE in self.by

    def annotations(self, value: str, runbook: str = RUNBOOK) -> dict[str, str]:
        """Write the texts for people.

        Args:
            value: the template's name for the number: ``.Value`` in Prometheus, ``.Values.B.Value`` in Grafana.
            runbook: the address of the runbook.
        """
        source = Source(value)
        recovers = source.recovering(self.above) if self.clear < self.above else ""
        texts = {
            "summary": self._filled(self.summary, source) + recovers,
            "description": " ".join(self._description(source)) + self._doubt(source),
        }
        if self.do:
            texts["do"] = self.do
        return {**texts, "runbook_url": f"{runbook}#{self.subject}"}

    def links(self, wallboard: str, grafana: str) -> dict[str, str]:
        """Write the addresses of the queue on the wallboard, and of the panel that shows the value of this queue."""
        places = [label for label in (naming.QUEUE, naming.CHANNEL) if label in self.by]
        chosen = {label: f"{{{{ .Labels.{label} | urlquery }}}}" for label in places}
        panel = [*(f"var-{label}={value}" for label, value in chosen.items()), f"viewPanel={self.panel}"]
        out = {"dashboard_url": f"{grafana}/d/{self.dashboard}?{'&'.join(panel)}"}
        if chosen:
            out["wallboard_url"] = f"{wallboard}/#{'&'.join(f'{k}={v}' for k, v in chosen.items())}"
        return out

    def _description(self, source: Source) -> Iterator[str]:
        if since := source.since(self.name, self.by):
            yield since
        if self.description:
            yield self._filled(self.description, source)

    def _doubt(self, source: Source) -> str:
        """Write that the numbers have stopped, where the alert is about them."""
        return (
            source.stopped(self.known) if self.group == "kpis" and self.known and source.is_prometheus else ""
        )

    def _filled(self, text: str, source: Source) -> str:
        by_name = {figure.name: figure for figure in self.figures}

        def fill(found: re.Match[str]) -> str:
            if found[0] == "VALUE":
                return source.value(_form(self.shown))
            return source.figure(by_name[found[1]], self._step(found[1]), self.by)

        return re.sub(r"%(\w+)%|VALUE", fill, text)

    def _step(self, name: str) -> str:
        """Return the name of a figure's step in Grafana: a letter after those of the rule itself."""
        return chr(ord("D") + 2 * [figure.name for figure in self.figures].index(name) + 1)

    def steps(self) -> Iterator[tuple[str, str, str]]:
        """Yield Grafana's steps for the figures: that of the query, that of its last value, and the query."""
        for figure in self.figures:
            last = self._step(figure.name)
            yield chr(ord(last) - 1), last, figure.query(self.by)


def _form(name: str) -> TextForm:
    forms: dict[str, TextForm] = {
        "humanizePercentage": "percent",
        "humanizeDuration": "duration",
        "humanize": "number",
    }
    return forms.get(name, "number")
