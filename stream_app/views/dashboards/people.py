"""*People and partners*: who is there and what they do, how busy teams are, and how partners do beside one's own sites."""

from collections.abc import Iterator
from typing import Final

from stream_app.model.kpis import BY_NAME
from stream_app.model.kpis.ledger_people import PEOPLE_ENTRIES
from stream_app.model.ledger_numbers import LEDGER_WINDOWS
from stream_app.views import links, naming

from . import ledger_panels, shell
from .business import compared
from .common import NOT_KNOWN, age, trust
from .layout import filled
from .ledger_panels import LEDGER
from .look import (
    AMBER,
    BLUE,
    DECIMALS,
    GREEN,
    RED,
    TRANSPARENT,
    Panel,
    dashed,
    no_value,
    override,
    steps,
    to_channels,
    to_queue,
)
from .panels import query, row, stat, table, timeseries
from .queries import CHOSEN, QUEUES, at_site, each, fresh, known

OF_PARTNERS: Final = ("service_level", "abandonment", "handle_time", "csat")
_BUSY: Final = ("occupancy", "utilisation")
_TELLS: Final = "Only of queues whose agents' states are told with the queues that they serve."
_SEVERAL: Final = "An agent who serves several queues is counted in each, so queues can't be added up."
_PLAN: Final = (
    "Required: agents who must be at work by the plan; it needs six weeks of interval rows, which stream-app intervals "
    "back-fills from history."
)
_PARTNERS: Final = "Partners are set in the targets, `[queues.NAME]` with `site` and `partner = true`: stream-app config apply."
_NOBODY_TELLS: Final = f"{NOT_KNOWN}: nobody tells who serves the queues."
_HERE: Final = f'{naming.QUEUE}=~"$queue"'
_PLACES: Final = f'{naming.QUEUE_INFO}{{{CHOSEN},{naming.SITE}=~"$site"}}'


def dashboard() -> str:
    """Draw agents by queue, their time by team, and partners side by side."""
    return shell.dashboard(
        links.PEOPLE,
        "Who is there, what they do and for how long, how busy teams are, and how partners perform.",
        list(_panels()),
    )


def _panels() -> Iterator[Panel]:
    yield row("Now: is anybody there, is anybody too long in something, and is it true?")
    yield from _tiles()
    yield age(6)
    yield trust(4)
    yield row("Queue by queue, the longest expected wait first")
    yield _queues()
    yield row("Over time")
    yield from filled([_there(), _over_limit(), _waits()], 3)
    yield row("How busy teams are")
    yield _teams()
    mine = [kpi.name for kpi in PEOPLE_ENTRIES]
    agents = [LEDGER[name] for name in mine if LEDGER[name].agents]
    yield from filled([ledger_panels.over_time(kpi) for kpi in agents], 3)
    yield from filled([ledger_panels.parts(kpi) for kpi in agents if naming.parts_of(kpi)], 1)
    yield row("Several contacts at once")
    yield from filled([ledger_panels.over_time(LEDGER[name]) for name in mine if not LEDGER[name].agents])
    yield row("Partners, and one's own sites")
    partners, own = (f'{naming.PARTNER}="{is_partner}"' for is_partner in ("true", "false"))
    yield from filled(
        [compared(BY_NAME[name], naming.SITE, partners, own, _PARTNERS) for name in OF_PARTNERS], 2
    )


def _of_queue(metric: str, selector: str = "") -> str:
    """Write a live number of agents by queue: the largest where there are several."""
    chosen = ",".join(filter(None, [_HERE, selector]))
    return f"(max by ({naming.QUEUE}) ({fresh(f'{metric}{{{chosen}}}')}) and on ({naming.QUEUE}) {_PLACES})"


def _doing(doing: str, metric: str = naming.AGENTS) -> str:
    return _of_queue(metric, f'{naming.DOING}="{doing}"')


def _there_now() -> str:
    """Write how many are there by queue: whoever is not away."""
    agents = fresh(f'{naming.AGENTS}{{{_HERE},{naming.DOING}!="away"}}')
    each_doing = f"max by ({naming.QUEUE}, {naming.DOING}) ({agents})"
    return f"(sum by ({naming.QUEUE}) ({each_doing}) and on ({naming.QUEUE}) {_PLACES})"


def _required() -> str:
    return f"sum by ({naming.QUEUE}) ({known(naming.REQUIRED_AT_WORK)})"


def _next_wait() -> str:
    mean = f'{naming.NEXT_WAIT}{{{CHOSEN},{naming.BOUND}="mean"}}'
    return at_site(f"max by ({QUEUES}) ({fresh(mean)})")


def _none_of(agents: str) -> str:
    """Write in how many open queues there is none of these agents; absent where nobody tells."""
    is_open = f"(max by ({naming.QUEUE}) ({known(naming.OPEN)}) == 1)"
    return f"count({agents} == 0 and on ({naming.QUEUE}) {is_open}) or 0 * (count({agents}) > 0)"


def _tiles() -> Iterator[Panel]:
    yield stat(
        "people now: nobody there",
        "Nobody there",
        _none_of(_there_now()),
        size=(3, 5),
        description=f"Open queues none of whose agents is available, on contact or in wrap-up. {_TELLS}",
        unit="locale",
        decimals=0,
        steps=steps(GREEN, (1, RED)),
    )
    yield stat(
        "people now: nobody available",
        "Nobody available",
        _none_of(_doing("available")),
        size=(3, 5),
        description=f"Open queues none of whose agents is available: whoever is there has a contact. {_TELLS}",
        unit="locale",
        decimals=0,
        steps=steps(BLUE),
    )
    yield stat(
        "people now: over limit",
        "Over limit, worst queue",
        f"max({_of_queue(naming.AGENTS_OVER_LIMIT)})",
        size=(4, 5),
        description="Agents who do something for longer than its limit, in the queue that has most of them. Limits are set "
        f"by `[agents].limits`. {_TELLS} {_SEVERAL}",
        unit="locale",
        decimals=0,
        steps=steps(GREEN, (1, AMBER)),
    )
    yield stat(
        "people now: longest wait",
        "Longest expected wait",
        f"max({_next_wait()})",
        size=(4, 5),
        description=f"How long the next contact will wait, on average, in the queue where that is the longest. {_TELLS}",
        unit="dthms",
        decimals=0,
        steps=steps(BLUE),
    )


def _queues() -> Panel:
    longest, slots = _of_queue(naming.AGENTS_LONGEST), f"max by ({naming.QUEUE}) ({_next_wait()})"
    free = f"{each(naming.AGENT_SLOTS)} - {each(naming.AGENT_SLOTS_USED)}"
    columns = {
        "available": ("Available", _doing("available")),
        "on_contact": ("On contact", _doing("on_contact")),
        "wrap": ("Wrap-up", _doing("wrap")),
        "away": ("Away", _doing("away")),
        "longest": ("Longest", longest),
        "over": ("Over limit", _of_queue(naming.AGENTS_OVER_LIMIT)),
        "slots": ("Free slots", f"sum by ({naming.QUEUE}) ({free})"),
        "wait": ("Expected wait", slots),
        "required": ("Required", f"{_required()} and on ({naming.QUEUE}) {_there_now()}"),
    }
    heads = {naming.QUEUE: "Queue"} | {f"Value #{name}": head for name, (head, _) in columns.items()}
    return table(
        "people: queue by queue",
        "Agents by queue",
        [query(name, expression, form="table") for name, (_, expression) in columns.items()],
        heads,
        none=f"{_NOBODY_TELLS} {_PLAN}",
        worst_first="Expected wait",
        size=(24, 9),
        description=f"In all channels of a queue together. Longest: for how long the one has done it who has done it the "
        f"longest, whatever it is. Free slots: contacts that available agents could have besides theirs. Expected wait: of "
        f"the next contact, in the channel where it is the longest. {_SEVERAL} {_TELLS} {_PLAN} A dash is unknown.",
        unit="locale",
        decimals=0,
        least=None,
        overrides=[
            *(override("byName", head, unit="dthms") for head in ("Longest", "Expected wait")),
            override(
                "byName",
                "Over limit",
                thresholds=steps(TRANSPARENT, (1, AMBER)),
                mappings=no_value(TRANSPARENT),
                custom__cellOptions={"type": "color-background", "mode": "basic"},
            ),
            override("byName", "Queue", links=to_channels(), custom__minWidth=110),
        ],
    )


def _there() -> Panel:
    legend = f"{{{{{naming.QUEUE}}}}}"
    return timeseries(
        *links.people("there"),
        [query("A", _there_now(), legend), query("R", f"{_required()} and {_there_now()}", legend)],
        size=(8, 9),
        description=f"Agents who are available, on contact or in wrap-up. Dashed, in the same colour: required at work. "
        f"{_SEVERAL} {_TELLS} {_PLAN}",
        none=f"{_NOBODY_TELLS} {_PLAN}",
        unit="locale",
        room=5,
        overrides=[dashed("R")],
        links=to_channels(of="__field.labels"),
    )


def _over_limit() -> Panel:
    return timeseries(
        *links.people("over_limit"),
        [query("A", _of_queue(naming.AGENTS_OVER_LIMIT), f"{{{{{naming.QUEUE}}}}}")],
        size=(8, 9),
        description="Agents who do something for longer than its limit: who they are is on the page People of the "
        f"wallboard. {_SEVERAL} {_TELLS}",
        none=_NOBODY_TELLS,
        unit="locale",
        room=5,
        links=to_channels(of="__field.labels"),
    )


def _waits() -> Panel:
    return timeseries(
        *links.people("next_wait"),
        [query("A", _next_wait(), f"{{{{{naming.QUEUE}}}}} {{{{{naming.CHANNEL}}}}}")],
        size=(8, 9),
        description=f"How long the next contact will wait, on average, by who is there and who waits. {_TELLS}",
        none=_NOBODY_TELLS,
        unit="dthms",
        room=60,
        links=to_queue(),
    )


def _teams() -> Panel:
    cells = {
        f"{name}_{window}": (f"{'Occ.' if name == 'occupancy' else 'Util.'} {window}", name, window)
        for name in _BUSY
        for window in LEDGER_WINDOWS
    }
    kpis = [LEDGER[name] for name in _BUSY]
    return table(
        "people: teams",
        "Occupancy and utilisation by team",
        [
            query(
                ref_id,
                ledger_panels.by_queue(LEDGER[name], naming.of_ledger(LEDGER[name]), window),
                form="table",
            )
            for ref_id, (_, name, window) in cells.items()
        ],
        {naming.TEAM: "Team"} | {f"Value #{ref_id}": head for ref_id, (head, *_) in cells.items()},
        none=ledger_panels.none(kpis[0]),
        worst_first=next(iter(cells.values()))[0],
        size=(24, 8),
        description=" ".join(ledger_panels.about(kpi) for kpi in kpis)
        + " They belong to no queue: the filters do not matter.",
        unit=kpis[0].unit.grafana,
        decimals=DECIMALS[kpis[0].unit],
    )
