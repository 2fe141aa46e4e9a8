"""Kafka: connecting to it, how keys map to partitions, and the topics that we write ourselves."""
