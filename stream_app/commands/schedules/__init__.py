"""``schedules``: its commands, and the report of who is scheduled."""
