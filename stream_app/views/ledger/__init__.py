"""``/v1/ledger``: KPIs that need more than one contact, or more than today."""
