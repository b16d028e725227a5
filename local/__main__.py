"""The local stack: `python -m local` starts the whole service on this machine, with no Docker, no AWS account and no network.

The API with its functions (port 3000), AWS (3001), an imin (3002) and an OIDC issuer (on the API's port), as `template.yaml` has
them. Every setting of the functions can be given in the environment. It stops on Ctrl-C or SIGTERM.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
from cheroot.wsgi import Server
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from access_token import Verifier
from local import aws
from local.function_pool import FunctionError, FunctionPool
from local.gateway import Gateway
from local.imin import make_imin
from local.issuer import make_issuer
from local.template import Route, Template

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"
NUMBERS = {"PORT": 3000, "AWS_PORT": 3001, "IMIN_PORT": 3002, "CONCURRENCY": 2}
SERVER_THREADS = 32
IMIN_KEY = os.environ.get("IMIN_API_KEY") or "local-imin-key"
WEBHOOK_KEY = os.environ.get("IMIN_WEBHOOK_KEY") or "local-webhook-key"


def main() -> None:
    """Starts everything, says so, and waits to be stopped. A bad setting ends it with its name."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        with contextlib.ExitStack() as running:
            print(f"ready {start(running)}", flush=True)
            stopped.wait()
    except (FunctionError, OSError, ValueError) as error:
        sys.exit(f"the stack can't start: {error}")


def start(running: contextlib.ExitStack) -> str:
    """Starts all parts, to be stopped by `running`; gives the API's URL. Raises `FunctionError`, `ValueError` (a bad number)."""
    api_port, aws_port, imin_port, concurrency = (_number(name, default) for name, default in NUMBERS.items())
    api_url = f"http://{HOST}:{api_port}"
    local = {
        "ALLOWED_REDIRECT_URIS": f"brokerapp://linked,{api_url}/",
        "IMIN_BASE_URL": f"http://{HOST}:{imin_port}",
        "OIDC_AUDIENCE": "seller-accounts-local",
        "OIDC_ISSUER": f"{api_url}/local",
        "PUBLIC_BASE_URL": api_url,
    }
    template = Template()
    functions = [replace(each, environment=_in_force(each.environment, local)) for each in template.functions()]
    settings = {name: value for function in functions for name, value in function.environment.items()}

    if not os.environ.get("AWS_ENDPOINT_URL"):
        _serve(running, aws.make_aws(), aws_port)
    os.environ.update(aws.variables(aws_port))
    _make_secrets(settings)
    _make_tables(template, settings)
    if "IMIN_BASE_URL" not in os.environ:
        _serve(running, make_imin(IMIN_KEY, webhook_url=f"{api_url}/v1/webhooks/imin", webhook_key=WEBHOOK_KEY), imin_port)
    beside: dict[str, WSGIApplication] = {}
    if "OIDC_ISSUER" not in os.environ:
        beside["/local"] = make_issuer(settings["OIDC_ISSUER"], settings["OIDC_AUDIENCE"], settings["CUSTOMER_CLAIM"])

    pools: dict[Route, FunctionPool] = {}
    for function in functions:
        pool = running.enter_context(contextlib.closing(FunctionPool(function, aws.variables(aws_port), concurrency)))
        pools.update(dict.fromkeys(function.routes, pool))
    gateway = Gateway(pools, Verifier(settings["OIDC_ISSUER"], settings["OIDC_AUDIENCE"]), f"{HOST}:{api_port}")
    _serve(running, DispatcherMiddleware(gateway, beside), api_port)
    return api_url


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "") or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ValueError(f"{name} must be a whole number from 1 to 65535")
    return int(text)


def _in_force(declared: Mapping[str, str], local: Mapping[str, str]) -> dict[str, str]:
    """The variables of a function: what the environment says, else what is so on this machine, else what the template says."""
    return {name: os.environ.get(name, local.get(name, value)) for name, value in declared.items()}


def _make_secrets(settings: Mapping[str, str]) -> None:
    values = {"IMIN_API_KEY_SECRET": IMIN_KEY, "IMIN_WEBHOOK_SECRET": WEBHOOK_KEY, "LINK_STATE_SECRET": aws.made_up_key()}
    aws.make_secrets(boto3.client("secretsmanager"), {settings[name]: value for name, value in values.items() if name in settings})


def _make_tables(template: Template, settings: Mapping[str, str]) -> None:
    (table,) = template.resources("AWS::DynamoDB::Table").values()
    aws.make_tables(boto3.client("dynamodb"), {settings["LINKS_TABLE"]: table})


def _serve(running: contextlib.ExitStack, application: "WSGIApplication", port: int) -> None:
    """Serves `application` in threads, until `running` ends. Raises `OSError` when the port is taken."""
    server = Server((HOST, port), application, numthreads=SERVER_THREADS)
    server.prepare()
    threading.Thread(target=server.serve, daemon=True).start()
    running.callback(server.stop)


if __name__ == "__main__":
    main()
