"""Clients of AWS, made by one session of botocore's own: boto3, or a session for each, would only add to the start."""

import functools
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.loaders import Loader
from snapshot_restore_py import register_after_restore

SERVICES = ["dynamodb", "secretsmanager"]


class _Loader(Loader):
    """Knows the services that are used. Botocore's own looks through the folders of some four hundred, twice for each client."""

    def list_available_services(self, type_name: str) -> list[str]:
        return SERVICES


@functools.cache
def _session() -> botocore.session.Session:
    session = botocore.session.get_session()
    session.register_component("data_loader", _Loader())
    return session


def make_client(service: str, read_timeout_seconds: int) -> Any:
    """A client that gives up in time to say so: two attempts, each with a second to connect."""
    config = Config(connect_timeout=1, read_timeout=read_timeout_seconds, retries={"mode": "standard", "total_max_attempts": 2})
    client = _session().create_client(service, config=config)
    register_after_restore(client.close)  # a connection does not outlive a snapshot; the next call makes a new one
    return client
