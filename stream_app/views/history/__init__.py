"""``/v1/history``: KPIs by day and week."""
