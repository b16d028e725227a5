"""The functions' dependencies on this machine: AWS, the local imin, the issuer, and settings that point to them.

`__main__.py` runs the functions in its own child processes, `sam.py` in Lambda's containers.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import boto3
from cheroot.wsgi import Server

from local import aws
from local.faults import FaultyStorage
from local.imin import make_imin
from local.imin_state import State
from local.issuer import make_issuer
from local.start_checks import misspelt_settings
from local.template import Function, Template

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from cheroot.ssl import Adapter

SERVER_THREADS = 32
IMIN_KEY = os.environ.get("IMIN_API_KEY") or "local-imin-key"
WEBHOOK_KEY = os.environ.get("IMIN_WEBHOOK_KEY") or "local-webhook-key"


@dataclass(frozen=True)
class Dependencies:
    """Running dependencies. `functions` have their effective environment; `issuer` is None if another issuer is configured."""

    functions: list[Function]
    settings: Mapping[str, str]
    aws_variables: Mapping[str, str]
    issuer: "WSGIApplication | None"
    imin_state: State


def start_dependencies(running: contextlib.ExitStack, host: str, api_url: str, issuer_url: str) -> Dependencies:
    """Start AWS and imin on `host` until `running` ends. Raises `OSError` (a port is taken), `ValueError` (an invalid number)."""
    aws_port, imin_port = number("AWS_PORT", 3001), number("IMIN_PORT", 3002)
    local_values = {
        "ALLOWED_REDIRECT_URIS": f"brokerapp://linked,{api_url}/",
        "IMIN_BASE_URL": f"http://{host}:{imin_port}",
        "OIDC_AUDIENCE": "seller-accounts-local",
        "OIDC_ISSUER": issuer_url,
        "PUBLIC_BASE_URL": api_url,
    }
    template = Template()
    functions = [
        replace(function, environment=_effective_environment(function.environment, local_values))
        for function in template.functions()
    ]
    settings = {name: value for function in functions for name, value in function.environment.items()}
    for name, suggestion in misspelt_settings(os.environ, settings).items():
        print(f"{name} is not a setting: did you mean {suggestion}?", file=sys.stderr, flush=True)

    state = State()
    if not os.environ.get("AWS_ENDPOINT_URL"):
        serve(running, FaultyStorage(aws.make_aws(), state), host, aws_port)
    variables = aws.variables(f"http://{host}:{aws_port}")
    os.environ.update(variables)
    values = {"IMIN_API_KEY_SECRET": IMIN_KEY, "IMIN_WEBHOOK_SECRET": WEBHOOK_KEY, "LINK_STATE_SECRET": aws.random_key()}
    aws.make_secrets(boto3.client("secretsmanager"), {settings[name]: value for name, value in values.items()})
    (table,) = template.resources("AWS::DynamoDB::Table").values()
    aws.make_tables(boto3.client("dynamodb"), {settings["LINKS_TABLE"]: table})

    if "IMIN_BASE_URL" not in os.environ:
        imin = make_imin(IMIN_KEY, state, webhook_url=f"{api_url}/v1/webhooks/imin", webhook_key=WEBHOOK_KEY)
        serve(running, imin, host, imin_port)
    issuer = None
    if "OIDC_ISSUER" not in os.environ:
        issuer = make_issuer(issuer_url, settings["OIDC_AUDIENCE"], settings["CUSTOMER_CLAIM"])
    return Dependencies(functions, settings, variables, issuer, state)


def number(name: str, default: int) -> int:
    """Return a port or count from the environment. Raises `ValueError` with its name."""
    text = os.environ.get(name, "") or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"{name} must be a whole number from 1 to 65535")
    return int(text)


def serve(running: contextlib.ExitStack, application: "WSGIApplication", host: str, port: int, tls: "Adapter | None" = None) -> int:
    """Serve `application` in threads until `running` ends, and return the port; 0 chooses a free one.

    Raises `OSError` if the port is taken.
    """
    server = Server((host, port), application, numthreads=SERVER_THREADS)
    server.ssl_adapter = tls
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    running.callback(server.stop)
    return int(server.bind_addr[1])


def _effective_environment(declared: Mapping[str, str], local_values: Mapping[str, str]) -> dict[str, str]:
    """Return a function's variables: from the environment if set there, else the local value, else the template's."""
    return {name: os.environ.get(name, local_values.get(name, value)) for name, value in declared.items()}
