"""The targets, one versioned document.

``document`` is the document and the rules derived from it per queue and channel, ``overrides`` the keys of each of its levels,
``hours`` the business hours and ``calendars`` their notation, ``presets`` the usual targets of industries.
"""

from .document import QueueTargets, Targets
from .overrides import Overrides, QueueOverrides

__all__ = ["Overrides", "QueueOverrides", "QueueTargets", "Targets"]
