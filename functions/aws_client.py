"""Clients of AWS, made by one session of botocore's own: boto3, or a session for each, would only add to the start."""

import functools
from typing import Any

import botocore.session
from botocore.config import Config
from snapshot_restore_py import register_after_restore


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


def make_client(service: str, read_timeout_seconds: int) -> Any:
    """A client that gives up in time to say so: two attempts, each with a second to connect."""
    config = Config(connect_timeout=1, read_timeout=read_timeout_seconds, retries={"mode": "standard", "total_max_attempts": 2})
    client = _session().create_client(service, config=config)
    register_after_restore(client.close)  # a connection does not outlive a snapshot; the next call makes a new one
    return client
