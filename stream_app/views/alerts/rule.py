"""One alert, whoever evaluates it."""

import re
from typing import Final, Literal

from msgspec import Struct

RUNBOOK: Final = "docs/runbook.md"


class Rule(Struct, frozen=True, kw_only=True):
    """A number for each of some labels: it begins above one level and is over at another, lower one.

    Attributes:
        group: what it is about: the centre's numbers, or the pipeline that makes them.
        name: unique; what the person on call reads first.
        subject: the runbook's section, and the label ``kpi``: a KPI, or a part of the pipeline.
        value: PromQL; without a row there is nothing to judge.
        above: fires for each row that is greater than this.
        clear: over when the row is less than this; where it is ``above`` itself, when the row is not greater.
        by: the labels that tell one row from another.
        hold: how long it must last (Prometheus duration).
        keep: how long it goes on after it was last seen.
        shown: template function that makes the value readable.
        dashboard, panel: the panel that shows it.
    """

    group: Literal["kpis", "pipeline"]
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

    @property
    def uid(self) -> str:
        """Grafana's id: stable, at most 40 characters."""
        return f"{self.group}-{self.kebab}"

    @property
    def kebab(self) -> str:
        """The name in lower case with dashes."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", self.name).lower()

    @property
    def record(self) -> str:
        """Under which name Prometheus keeps the value."""
        return f"alert:{self.kebab.replace('-', '_')}:value"

    @property
    def labels(self) -> dict[str, str]:
        """What alerts are routed and inhibited by."""
        return {"severity": self.severity, "group": self.group, "kpi": self.subject}

    def annotations(self, value: str, runbook: str = RUNBOOK) -> dict[str, str]:
        """What people read; ``value`` is how the template calls the number."""
        return {
            "summary": self.summary,
            "description": self.description.replace("VALUE", f"{{{{ {value} | {self.shown} }}}}"),
            "runbook_url": f"{runbook}#{self.subject}",
        }
