"""Settings that change meaning, one versioned document.

``document`` is the document and what follows from it for a queue and channel, ``wishes`` what each of its levels may say,
``hours`` the business hours and ``calendars`` how they are written, ``presets`` what industries usually aim at.
"""

from .document import Rule, Targets
from .wishes import QueueWishes, Wishes

__all__ = ["QueueWishes", "Rule", "Targets", "Wishes"]
