"""A pipeline for one test."""

from pathlib import Path

import pytest

from tests.conftest import MakeTopic
from tests.services.kafka import Cluster

from .pipeline import Pipeline


@pytest.fixture
async def pipeline(kafka: Cluster, redis_url: str, make_topic: MakeTopic, tmp_path: Path) -> Pipeline:
    """Not running yet."""
    return Pipeline(kafka, redis_url, await make_topic(partitions=2), tmp_path)
