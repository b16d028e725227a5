"""AWS on this machine: moto's server, and the template's secrets and tables, created there or at another endpoint."""

import os
import secrets
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

REGION = "eu-west-2"
ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SECRETS_MANAGER")


def variables(endpoint_url: str) -> dict[str, str]:
    """Return variables that point AWS clients to `endpoint_url` and away from the machine's own AWS configuration."""
    return {
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "local"),
        "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "local"),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint_url,
        **{name: os.environ[name] for name in ENDPOINTS if os.environ.get(name)},
    }


def make_aws() -> "WSGIApplication":
    """Return moto's server as an application. It serves one request at a time, so updates are atomic as in DynamoDB."""
    server = DomainDispatcherApplication(create_backend_app)
    lock = threading.Lock()

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        with lock:
            return list(server(environ, start_response))

    return application


def make_secrets(client: "SecretsManagerClient", values: Mapping[str, str]) -> None:
    """Create the missing secrets of `values` (by name)."""
    for name, value in values.items():
        try:
            client.create_secret(Name=name, SecretString=value)
        except client.exceptions.ResourceExistsException:
            continue


def random_key() -> str:
    """Return a random key."""
    return secrets.token_urlsafe(48)


def make_tables(client: "DynamoDBClient", tables: Mapping[str, Mapping[str, Any]]) -> None:
    """Create the missing tables of `tables` (properties from the template, by name)."""
    for name, properties in tables.items():
        arguments = {key: properties[key] for key in ("AttributeDefinitions", "KeySchema", "BillingMode")}
        try:
            client.create_table(TableName=name, **arguments)
        except client.exceptions.ResourceInUseException:
            continue
