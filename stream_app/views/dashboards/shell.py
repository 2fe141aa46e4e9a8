"""What every dashboard has around its panels: name, variables, links to the others."""

from collections.abc import Sequence
from typing import Any, Final

from stream_app.views import naming
from stream_app.views.places import TITLES
from stream_app.views.text import GENERATED, to_json

from .panels import Panel, laid_out

TAG: Final = "contact-centre"
_USUAL_WINDOW: Final = "30m"


def dashboard(
    uid: str,
    description: str,
    panels: Sequence[Panel],
    *,
    variables: Sequence[str] = (naming.QUEUE, naming.CHANNEL, naming.SITE, naming.WINDOW),
    one_queue: bool = False,
    since: str = "now-6h",
    refresh: str = "10s",
) -> str:
    """The dashboard as the file that Grafana provisions.

    Args:
        uid: stable: links name it.
        description: whom it is for, and what for.
        panels: without places; these are laid out here.
        variables: those of ``queue``, ``channel``, ``site``, ``window`` that its queries use.
        one_queue: whether it is about a single queue.
        since: what is shown at first.
        refresh: how often.
    """
    return to_json(
        {
            "uid": uid,
            "title": TITLES[uid],
            "description": f"{description} {GENERATED}",
            "tags": [TAG],
            "schemaVersion": 37,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": refresh,
            "time": {"from": since, "to": "now"},
            "timezone": "browser",
            "templating": {"list": [_source(), *(_variable(name, one_queue) for name in variables)]},
            "annotations": {"list": []},
            "links": [_links()],
            "panels": laid_out(list(panels)),
        }
    )


def _links() -> Panel:
    """The other dashboards, which take over what is chosen here."""
    return {
        "type": "dashboards",
        "title": "Contact centre",
        "tags": [TAG],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    }


def _source() -> Panel:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _variable(name: str, one_queue: bool) -> Panel:
    if name == naming.WINDOW:
        return _window()
    series = naming.QUEUE_INFO
    single = one_queue and name == naming.QUEUE
    chosen: dict[str, Any] = {
        "includeAll": not single,
        "multi": not single,
        "current": {} if single else {"selected": True, "text": ["All"], "value": ["$__all"]},
    }
    if not single:
        chosen["allValue"] = ".*"
    mine = f'{{{naming.QUEUE}=~"$queue"}}' if one_queue and name == naming.CHANNEL else ""
    query = f"label_values({series}{mine}, {name})"
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": {"query": query, "refId": f"{name}s"},
        "refresh": 2,
        "sort": 1,
        **chosen,
    }


def _window() -> Panel:
    return {
        "name": naming.WINDOW,
        "label": "Window",
        "type": "custom",
        "query": ",".join(naming.WINDOWS),
        "options": [{"text": w, "value": w, "selected": w == _USUAL_WINDOW} for w in naming.WINDOWS],
        "current": {"selected": True, "text": _USUAL_WINDOW, "value": _USUAL_WINDOW},
        "includeAll": False,
        "multi": False,
    }
