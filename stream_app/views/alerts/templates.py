"""Templates of alert texts: Go's, which Prometheus and Grafana share, over what each of them knows.

Nothing in them can fail: a figure without a row reads *not known*, and no function is given nothing.
"""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from stream_app.model.kpis.measures import Unit
from stream_app.views import naming

TextForm = Literal["duration", "percent", "count", "score", "number"]
"""How a number is written: 2:50, 47.7 %, 243, 4.1, or with an SI prefix."""

_FORMS: Final[dict[TextForm, str]] = {
    "duration": (
        '{{ if lt .Value 3600.0 }}{{ (toTime .Value).Format "4:05" }}{{ else }}{{ humanizeDuration .Value }}{{ end }}'
    ),
    "percent": '{{ .Value | humanizePercentage | reReplaceAll "%" " %" }}',
    "count": '{{ printf "%.0f" .Value }}',
    "score": '{{ printf "%.1f" .Value }}',
    "number": "{{ humanize .Value }}",
}
_ROUNDED: Final[dict[TextForm, str]] = {
    "duration": "1",
    "percent": "0.001",
    "count": "1",
    "score": "0.1",
    "number": "0.001",
}
_UNKNOWN: Final = "{{ else }}not known{{ end }}"
PROMETHEUS: Final = ".Value"
"""What Prometheus's templates call the value of an alert; Grafana's is a step's."""


def form(unit: Unit) -> TextForm:
    """Return how numbers of a unit are written."""
    if unit.is_ratio:
        return "percent"
    forms: dict[Unit, TextForm] = {Unit.SECONDS: "duration", Unit.SCORE: "score", Unit.AMOUNT: "score"}
    return forms.get(unit, "count")


class Quoted(Struct, frozen=True):
    """A number beside the one that is judged: a metric of the same labels, and how it is written."""

    name: str
    metric: str
    form: TextForm
    window: str | None = None

    def query(self, by: Sequence[str], matchers: str = "") -> str:
        """Write its PromQL; ``matchers`` narrow it to one row."""
        window = f'{naming.WINDOW}="{self.window}"' if self.window else ""
        chosen = ",".join(part for part in (window, matchers) if part)
        inner = f"{self.metric}{{{chosen}}}" if chosen else self.metric
        return f"round(max by ({', '.join(by)}) ({inner}), {_ROUNDED[self.form]})"


class Source(Struct, frozen=True):
    """What a template of one evaluator can say; ``name`` is its name for the value."""

    name: str

    @property
    def is_prometheus(self) -> bool:
        """Whether Prometheus evaluates it, which can be queried from a template."""
        return self.name == PROMETHEUS

    @property
    def _step(self) -> str:
        return self.name.removesuffix(".Value")

    def value(self, form: TextForm) -> str:
        """Write the value of the alert."""
        if self.is_prometheus:
            return _FORMS[form]
        return f"{{{{ with {self._step} }}}}{_FORMS[form]}{_UNKNOWN}"

    def figure(self, figure: Quoted, step: str, by: Sequence[str]) -> str:
        """Write another number of the row; ``step`` is its step in Grafana."""
        if not self.is_prometheus:
            return f"{{{{ with .Values.{step} }}}}{_FORMS[figure.form]}{_UNKNOWN}"
        query = figure.query(by, ",".join(f"{label}=%q" for label in by))
        labels = "".join(f" .Labels.{label}" for label in by)
        return f"{{{{ range printf `{query}`{labels} | query }}}}{_FORMS[figure.form]}{_UNKNOWN}"

    def recovering(self, above: float) -> str:
        """Write that it is within what is tolerated, though not over."""
        said = f"{{{{ if le .Value {float(above)!r} }}}} (recovering){{{{ end }}}}"
        return said if self.is_prometheus else f"{{{{ with {self._step} }}}}{said}{{{{ end }}}}"

    def since(self, alert: str, by: Sequence[str]) -> str:
        """Write when it began; nothing where a template can't know it, as in Grafana."""
        if not self.is_prometheus:
            return ""
        matchers = "".join(f",{label}=%q" for label in by)
        labels = "".join(f" .Labels.{label}" for label in by)
        query = f'printf `min(ALERTS_FOR_STATE{{alertname="{alert}"{matchers}}})`{labels} | query'
        return f'{{{{ range {query} }}}}Since {{{{ (toTime .Value).Format "15:04" }}}} UTC.{{{{ else }}}}Just now.{{{{ end }}}}'

    def stopped(self, known: str) -> str:
        """Write that the numbers are the last that are known, where they have stopped."""
        said = " The numbers have stopped: this is the last that is known."
        return f"{{{{ range query `{known}` }}}}{{{{ else }}}}{said}{{{{ end }}}}"
