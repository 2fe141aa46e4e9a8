"""What a tile says: an instant query's answer, as Grafana writes and colours it (its ``getDisplayProcessor``)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tests.services.prometheus import Sample

Json = Mapping[str, Any]
GREY: Final = "grey"
_COLOURS: Final = {"orange": "amber", "#8e8e8e": GREY}


class Shown(NamedTuple):
    """One value of a tile."""

    name: str
    text: str
    colour: str


def shown(panel: Json, ask: Callable[[str], Sequence[Sample]]) -> list[Shown]:
    """Return what a tile says when ``ask`` answers its queries; without an answer, a single value that is not there."""
    found = [value for query in panel["targets"] for value in _values(panel, query, ask(query["expr"]))]
    if not found:
        text, colour = _written(panel["fieldConfig"]["defaults"], None)
        return [Shown("", text, colour)]
    return sorted(found)


def _values(panel: Json, query: Json, answer: Sequence[Sample]) -> Iterator[Shown]:
    for sample in answer:
        name = query["legendFormat"]
        for label, value in sample.labels.items():
            name = name.replace(f"{{{{{label}}}}}", value)
        config = dict(panel["fieldConfig"]["defaults"])
        for override in panel["fieldConfig"]["overrides"]:
            if override["matcher"] == {"id": "byFrameRefID", "options": query["refId"]}:
                config |= {p["id"]: p["value"] for p in override["properties"]}
        yield Shown(name, *_written(config, sample.value))


def _written(config: Json, value: float | None) -> tuple[str, str]:
    """Write a value: a mapping has the first word, then come unit and thresholds."""
    nothing = value is None or value != value  # noqa: PLR0124 - NaN
    for mapping in config.get("mappings", ()):
        options = mapping["options"]
        if mapping["type"] == "special" and options["match"] == "null+nan" and nothing:
            return options["result"]["text"], _colour(options["result"]["color"])
        if mapping["type"] == "value" and not nothing and (found := options.get(f"{value:g}")):
            return found["text"], _colour(found["color"])
    steps = config["thresholds"]["steps"]
    if value is None or nothing:
        return config["noValue"], _colour(steps[0]["color"])
    if (colour := config.get("color", {})).get("mode") == "fixed":
        return _UNITS[config["unit"]](value, config.get("decimals")), _colour(colour["fixedColor"])
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return _UNITS[config["unit"]](value, config.get("decimals")), _colour(reached[-1])


def _colour(name: str) -> str:
    return _COLOURS.get(name, name)


def _clock(seconds: float, _: int | None) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def _rounded(value: float, decimals: int | None) -> str:
    return f"{value:,.{decimals or 0}f}"


_UNITS: Final[dict[str, Callable[[float, int | None], str]]] = {
    "locale": lambda value, decimals: f"{round(value, decimals or 0):,g}",
    "percentunit": lambda value, decimals: f"{_rounded(value * 100, decimals)}%",
    "dthms": _clock,
    "suffix:s": lambda value, decimals: f"{_rounded(value, decimals)} s",
    "none": _rounded,
}
