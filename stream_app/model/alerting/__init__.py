"""Custom alert rules: what a centre writes itself, and when a rule would have fired over recorded interval rows. Pure.

``rules`` has the record of a rule, ``reading`` makes it from a document, ``measured`` computes KPIs from interval rows,
``judging`` applies a rule to them, and ``firing`` is the life of an alert: pending, firing, over.
"""
