"""The whole pipeline with nothing but Python: a broker and a Redis of its own, and nothing left behind."""
