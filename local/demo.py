"""The demo app, which stands for a broker's mobile app: a page at `/` and its files under `/app/`.

This module only serves files: the app runs in the browser, and uses only the public API and the local issuer. All other requests
go to the API.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import yaml
from flask import Flask, Response, redirect, render_template, request, send_from_directory

from local.browser_client import make_browser_client
from local.docs import DOCUMENT, HERE
from local.imin_state import CUSTOMERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.wrappers import Response as AnyResponse

FOLDER = HERE / "static" / "app"
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Sellers host their logos and passes anywhere; those of the local imin are on another port.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "connect-src 'self'; img-src 'self' https: http://127.0.0.1:*; script-src 'self'; style-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
}


class Demo:
    """The demo as a WSGI application in front of `api`, which gets all other requests."""

    def __init__(self, api: "WSGIApplication") -> None:
        self._api = api
        self._app = make_app()
        self._paths = {"/", "/app/client.js", *(f"/app/{file.name}" for file in FOLDER.iterdir())}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        is_demo_file = environ["PATH_INFO"] in self._paths and environ["REQUEST_METHOD"] in {"GET", "HEAD"}
        return (self._app if is_demo_file else self._api)(environ, start_response)


def make_app() -> Flask:
    """Return the page and its files as an application."""
    app = Flask("demo", root_path=str(HERE), static_folder=None)
    client = make_browser_client(json.loads(DOCUMENT.read_text()))
    customers = {name: customer["description"] for name, customer in yaml.safe_load(CUSTOMERS.read_text())["customers"].items()}

    @app.get("/")
    def page() -> "str | AnyResponse":
        if request.host.partition(":")[0] == "localhost":  # another origin, to which imin doesn't return customers
            return redirect(request.url.replace("localhost", "127.0.0.1", 1))
        return render_template("app.html", customers=customers)

    @app.get("/app/client.js")
    def client_module() -> Response:
        return Response(client, mimetype="text/javascript")

    @app.get("/app/<name>")
    def file(name: str) -> Response:
        return send_from_directory(FOLDER, name)

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.update(HEADERS)
        return response

    return app
