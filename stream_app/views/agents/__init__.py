"""``/v1/agents``: who is there now, and what they do."""
