"""What Prometheus scrapes, in promtool's notation: a sample each half minute, unless said otherwise."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from stream_app.model.kpis import BY_NAME
from stream_app.model.live.agent_now import DOING
from stream_app.views import naming

QUEUE = {"queue": "sales", "channel": "voice"}
HOUR = 120
"""Samples in an hour."""

Series = dict[str, str]


class Case(NamedTuple):
    """What is scraped, and for firing ones the value that is recorded."""

    series: Series
    value: float | None = None
    at: str = "40m"
    labels: Mapping[str, str] = MappingProxyType({})
    interval: str = "30s"


def one(metric: str, values: str, **labels: str) -> Series:
    """One series of the queue."""
    text = ",".join(f'{name}="{value}"' for name, value in {**QUEUE, **labels}.items())
    return {f"{metric}{{{text}}}": values}


def kpi(
    name: str, value: str, target: str = "", samples: str = "100", window: str = "30m", **labels: str
) -> Series:
    """Return what is exported of a KPI, for an hour, fresh and in business hours; "" is an absent series."""
    entry = BY_NAME[name]
    if not entry.is_level:
        labels["window"] = window
    series = fresh()
    if value:
        series |= one(naming.value(entry), long(value), **labels)
    if not entry.is_level:
        series |= one(naming.samples(entry), long(samples), **labels)
    if target:
        series |= one(naming.target(entry), long(target))
    return series


def agents(**doing: str) -> Series:
    """What the queue's agents do; what is not said, nobody does."""
    return {f'{naming.AGENTS}{{queue="sales",doing="{name}"}}': long(doing.get(name, "0")) for name in DOING}


def fresh() -> Series:
    """Data that are fresh, of a queue that is open."""
    return {naming.DATA_AGE: f"1x{HOUR}"} | one(naming.OPEN, f"1x{HOUR}")


def long(value: str) -> str:
    """One number stands for an hour of it."""
    return value if " " in value else f"{value}x{HOUR}"


def stale(series: Series) -> Series:
    return {**series, naming.DATA_AGE: f"600x{HOUR}"}


def ageless(series: Series) -> Series:
    return {name: values for name, values in series.items() if name != naming.DATA_AGE}


def one_stuck(series: Series) -> Series:
    """The same from a replica that is fresh, beside another one whose numbers are old."""
    stuck = {naming.DATA_AGE: f"600x{HOUR}"}
    return {_of(name, "a"): values for name, values in series.items()} | {
        _of(name, "b"): values
        for name, values in (stuck | one("cc_oldest_waiting_seconds", f"9x{HOUR}")).items()
    }


def _of(name: str, instance: str) -> str:
    return (
        f'{name[:-1]},instance="{instance}"}}' if name.endswith("}") else f'{name}{{instance="{instance}"}}'
    )


def of_channel(channel: str, series: Series) -> Series:
    """The same on another channel than voice."""
    return {
        name.replace('channel="voice"', f'channel="{channel}"'): values for name, values in series.items()
    }


def closed(series: Series) -> Series:
    return series | one(naming.OPEN, f"0x{HOUR}")


def again(series: Series) -> Series:
    """The same from a second replica of `serve`: no more alerts, no errors."""
    return series | {
        (f'{name[:-1]},instance="b"}}' if name.endswith("}") else f'{name}{{instance="b"}}'): values
        for name, values in series.items()
    }
