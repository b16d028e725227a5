"""The local stack: `python -m local` starts the whole service on this machine, with no Docker, no AWS account and no network.

It serves the API with its functions as declared in `template.yaml` (port 3000), AWS (3001), a fake imin (3002), and, on the API's
port, an OIDC issuer, the API's documentation (`/docs`) and a demo app (`/`). The environment can override every setting of the
functions, and `ALLOWED_ORIGINS` and `AUTHORIZATION_SCOPES` of API Gateway. Ctrl-C or SIGTERM stops it.
"""

import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from local.authorizer import Authorizer
from local.cors import Cors
from local.demo import Demo
from local.dependencies import Dependencies, number, serve, start_dependencies
from local.docs import make_docs, make_document
from local.faults import FaultyGateway
from local.function_pool import FunctionError, FunctionPool
from local.gateway import Gateway
from local.start_checks import check_ports
from local.template import Template

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from local.template import Route

HOST = "127.0.0.1"


def main() -> None:
    """Start everything, print where it is, and wait for a signal. Exit with the name of any invalid setting."""
    stopped = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stopped.set())
    try:
        with contextlib.ExitStack() as running:
            print(start(running), flush=True)
            stopped.wait()
    except (FunctionError, OSError, ValueError) as error:
        sys.exit(f"the stack can't start: {error}")


def start(running: contextlib.ExitStack) -> str:
    """Start the dependencies and the API until `running` ends. Return the text to print: all addresses, then `ready`.

    Raises `FunctionError`, `OSError` (a port is taken), `ValueError` (an invalid number).
    """
    port, concurrency = number("PORT", 3000), number("CONCURRENCY", 2)
    api_url = f"http://{HOST}:{port}"
    ports = {"PORT": port}
    if not os.environ.get("AWS_ENDPOINT_URL"):
        ports["AWS_PORT"] = number("AWS_PORT", 3001)
    if "IMIN_BASE_URL" not in os.environ:
        ports["IMIN_PORT"] = number("IMIN_PORT", 3002)
    check_ports(HOST, ports)
    dependencies = start_dependencies(running, HOST, api_url, f"{api_url}/local")
    pools: dict[Route, FunctionPool] = {}
    for function in dependencies.functions:
        pool = running.enter_context(contextlib.closing(FunctionPool(function, dependencies.aws_variables, concurrency)))
        pools.update(dict.fromkeys(function.routes, pool))
    scopes, origins = (split(os.environ.get(name, "")) for name in ("AUTHORIZATION_SCOPES", "ALLOWED_ORIGINS"))
    authorizer = Authorizer(dependencies.settings["OIDC_ISSUER"], split(dependencies.settings["OIDC_AUDIENCE"]), scopes)
    cors = Cors(Template().document["Resources"]["Api"]["Properties"]["CorsConfiguration"]["Fn::If"][1], origins)
    mounts: dict[str, WSGIApplication] = {
        "/docs": make_docs(has_issuer=dependencies.issuer is not None),
        "/openapi.json": make_document(port),
        **({"/local": dependencies.issuer} if dependencies.issuer else {}),
    }
    api: WSGIApplication = FaultyGateway(Gateway(pools, authorizer, cors, f"{HOST}:{port}"), dependencies.imin_state)
    # The demo app signs customers in at the local issuer, so it needs that issuer.
    serve(running, DispatcherMiddleware(Demo(api) if dependencies.issuer else api, mounts), HOST, port)
    return "\n".join([*_directions(api_url, ports, dependencies), f"ready {api_url}"])


def _directions(api_url: str, ports: dict[str, int], dependencies: Dependencies) -> list[str]:
    """Return one line for each address to open or command to try."""
    lines = [
        ("demo app", f"{api_url}/  (sign in as rosie; the password at imin is rosie-password)" if dependencies.issuer else None),
        ("API docs", f"{api_url}/docs"),
        (
            "imin",
            f"http://{HOST}:{ports['IMIN_PORT']}/  (accounts, and faults to switch on)" if "IMIN_PORT" in ports else None,
        ),
        ("tokens", f"""curl {api_url}/local/token -d '{{"customerIdentifier": "rosie"}}'""" if dependencies.issuer else None),
        ("redirectUri", f"{dependencies.settings['ALLOWED_REDIRECT_URIS'].replace(',', ' or ')}  (compared exactly)"),
        (
            "logs",
            "one line per call; LOGS=json make start prints the JSON logs" if os.environ.get("LOGS") != "json" else None,
        ),
        ("stop", "Ctrl-C"),
    ]
    return [f"{name:12} {text}" for name, text in lines if text]


def split(text: str) -> list[str]:
    """Split a comma-separated parameter; an empty text has no entries."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


if __name__ == "__main__":
    main()
