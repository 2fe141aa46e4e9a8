"""The targets, one versioned document.

``document`` is the document, ``queue_targets`` what follows from it for a queue, ``overrides`` the keys of each level,
``hours`` the business hours and ``calendars`` their notation, ``presets`` the usual targets of industries.
"""

from .document import Targets
from .overrides import Overrides, QueueOverrides
from .queue_targets import QueueTargets

__all__ = ["Overrides", "QueueOverrides", "QueueTargets", "Targets"]
