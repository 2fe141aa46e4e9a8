"""The whole pipeline with nothing but Python: with its own broker and Redis, and nothing left over afterwards."""
