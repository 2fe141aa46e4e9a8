"""Names of time zones, from the package that is installed with us, so that they are the same everywhere."""

from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from .errors import BadSettingsError


@cache
def zone_names() -> frozenset[str]:
    """Return all IANA names."""
    return frozenset((files("tzdata") / "zones").read_text("utf-8").split())


def checked_zone(name: str, setting: str) -> str:
    """Return the name of an IANA time zone as it is.

    Raises:
        BadSettingsError: there is no such zone; the line names the setting and the nearest zone.
    """
    if name in zone_names():
        return name
    lower = {known.lower(): known for known in zone_names()}
    close = get_close_matches(name.lower(), lower, n=1)
    hint = f"; did you mean {lower[close[0]]!r}?" if close else "; use a name such as Europe/Berlin"
    raise BadSettingsError(f"{setting}: unknown time zone {name[:60]!r}{hint}")
