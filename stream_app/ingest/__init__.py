"""Bytes → events → batches. The only readers of Kafka."""
